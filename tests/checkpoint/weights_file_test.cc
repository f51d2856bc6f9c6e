#include "checkpoint/weights_file.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace lambert {
namespace {

using namespace std::string_literals;

std::string refused(const std::string& content, ErrorCode code) {
  try {
    read_weights_file(std::as_bytes(std::span(content)), "weights", [](const Tensor&) {});
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), error_code_name(code)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

TEST(WeightsFile, OtherFormatsComeWithAdvice) {
  const std::pair<std::string, const char*> cases[] = {
      {"\x1f\x8b\x08\0\0\0\0\0\0\x03"s, "gzip; pass the archive itself"},
      {std::string(257, 'x') + "ustar", "a tar archive"},
      {"\x89HDF\r\n\x1a\n\0\0"s, "from_tf=True"},
      {"GGUF\x03\0\0\0\0\0"s, "GGUF"},
  };
  for (const auto& [content, part] : cases) {
    const std::string message = refused(content, ErrorCode::kUnsupportedModel);
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

// The length of a header may look like the first bytes of any other format.
TEST(WeightsFile, TheHeaderOfSafetensorsGoesFirst) {
  std::size_t tensors = 0;
  std::string header = R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})";
  header.resize(0x8B1F, ' ');  // the length begins as gzip does
  const std::string file = "\x1F\x8B\0\0\0\0\0\0"s + header;
  read_weights_file(std::as_bytes(std::span(file)), "weights", [&](const Tensor&) { ++tensors; });
  EXPECT_EQ(tensors, 1U);
}

}  // namespace
}  // namespace lambert
