// Result and Error -> JSON: the one place where answers are written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lambert/lambert.h"

namespace lambert {

// "answer":...,"score":...,"start":...,"end":... without the braces.
void append_answer_fields(std::string& out, const Answer& answer);

// [{"answer":...,"score":...,"start":...,"end":...},...]
std::string answers_json(const std::vector<Answer>& answers);

// {"answers":[{"answer":...,"score":...,"start":...,"end":...},...]} on one line, without a line
// end; "id" comes first unless `id` (JSON text) is empty.
std::string result_line(std::string_view id, const Result& result);

// {"error":{"code":"...","message":"..."}}, "id" as above. The message's bytes that are no UTF-8
// are replaced, so the line is JSON whatever was quoted in it.
std::string error_line(std::string_view id, const Error& error);

}  // namespace lambert
