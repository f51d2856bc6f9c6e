// Writing and damaging bundles in tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "base/error.h"
#include "checkpoint/bundle.h"
#include "checkpoint/bundle_writer.h"

namespace lambert {

constexpr std::uint32_t kConf = section_kind("conf"), kData = section_kind("data");

inline std::span<const std::byte> as_file(const std::string& bytes) {
  return std::as_bytes(std::span(bytes));
}

inline std::string as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void put_at(std::string& file, std::size_t at, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i, ++at) file.at(at) = static_cast<char>(value >> 8 * i & 0xFF);
}

// With the checksum that the first `header_bytes` should have.
inline std::string sealed(std::string file, std::size_t header_bytes) {
  const auto header = as_file(file).first(header_bytes);
  put_at(file, kBundleChecksumAt, bundle_header_checksum(header), 4);
  return file;
}

// `file`, of `sections` sections, with another number at `at`, that its checksum agrees to.
inline std::string with(std::string file, std::size_t sections, std::size_t at, std::uint64_t value,
                        int bytes) {
  put_at(file, at, value, bytes);
  return sealed(std::move(file), kBundleHeaderBytes + sections * kBundleEntryBytes);
}

// "data 1" of 70 bytes at 192, "conf 0" of 5 at 320, "data 0" of 0 at 384, the end of the file. In
// the table: data 0 at 64, data 1 at 96, conf 0 at 128.
inline std::string small_bundle() {
  std::string file;
  BundleWriter writer(&file, 3);
  writer.add(kData, 1, as_file(std::string(70, 'x')));
  writer.add(kConf, 0, as_file("hello"));
  writer.add(kData, 0, {});
  writer.finish();
  return file;
}
constexpr std::size_t kData0Entry = 64, kData1Entry = 96, kConfEntry = 128;

// The message of the error that `work` throws.
template <typename Work>
std::string error_of(const Work& work, ErrorCode code) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), error_code_name(code)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

inline std::string refused_bundle(const std::string& file,
                                  ErrorCode code = ErrorCode::kInvalidModel) {
  const std::string message = error_of([&] { Bundle(as_file(file), "m.lambert"); }, code);
  EXPECT_TRUE(message.starts_with("m.lambert: ")) << message;
  return message.substr(std::min(message.size(), std::string_view("m.lambert: ").size()));
}

}  // namespace lambert
