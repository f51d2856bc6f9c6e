// Any UTF-8 as JSON in Python's dialect: refused as Python would, or a value of which the text can
// be written again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/utf8.h"
#include "serve/python_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (lambert::check_utf8(text).error_byte) return 0;
  lambert::python_json_dumps(text);
  try {
    const lambert::PythonValue value = lambert::python_json_loads(lambert::decode_utf8(text));
    value.type_name();
    value.at("body");
  } catch (const lambert::PythonError& error) {
    error.repr();
  }
  return 0;
}
