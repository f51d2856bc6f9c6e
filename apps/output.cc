#include "output.h"

#include <unistd.h>

#include <cstdlib>

#include "eval/output_file.h"
#include "net/network_error.h"

namespace lambert {

int exit_code(const Error& error) {
  if (dynamic_cast<const NetworkError*>(&error) != nullptr) return kExitNetwork;
  if (dynamic_cast<const ModelError*>(&error) != nullptr) return kExitModel;
  switch (error.code()) {
    case ErrorCode::kInvalidArgument: return kExitUsage;
    case ErrorCode::kInvalidModel:
    case ErrorCode::kUnsupportedModel: return kExitModel;
    default: return kExitFailure;
  }
}

void print(std::string_view text) {
  write_all(STDOUT_FILENO, text, "standard output");
}

void print_error(std::string_view message) {
  try {
    write_all(STDERR_FILENO, "lambert: " + std::string(message) + "\n", "standard error");
  } catch (const Error&) {  // nowhere left to say so; the exit code tells
  }
}

bool output_is_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}
bool errors_are_terminal() {
  return ::isatty(STDERR_FILENO) == 1;
}

bool colors_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return output_is_terminal() && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

std::string for_terminal(std::string_view text) {
  std::string safe;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 = byte == 0xC2 && i + 1 < text.size() &&
                    static_cast<unsigned char>(text[i + 1]) < 0xA0;  // U+0080 .. U+009F
    if (c1) ++i;
    safe += byte < 0x20 || byte == 0x7F || c1 ? ' ' : text[i];
  }
  return safe;
}

}  // namespace lambert
