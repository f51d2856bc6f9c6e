#include "checkpoint/safetensors.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "safetensors_file.h"

namespace lambert {
namespace {

// {"a": F32 (2,), "b": F16 (1, 2)} with 12 bytes of data.
constexpr char kHeader[] = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                           R"("b":{"dtype":"F16","shape":[1,2],"data_offsets":[8,12]}})";
constexpr char kData[] = "ABCDEFGHIJKL";

std::string refused(const std::string& file, ErrorCode code = ErrorCode::kInvalidModel) {
  try {
    read_all(file);
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), error_code_name(code)) << error.what();
    EXPECT_TRUE(std::string(error.what()).starts_with("model.safetensors: ")) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

void expect_refused(const std::string& file, const std::string& part,
                    ErrorCode code = ErrorCode::kInvalidModel) {
  const std::string message = refused(file, code);
  EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
}

// A file with one F32 tensor "t" of 8 bytes of data.
std::string one_tensor(const std::string& shape, const std::string& offsets) {
  return safetensors_file(
      R"({"t":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}",
      "ABCDEFGH");
}

TEST(Safetensors, TensorsArePushedInTheOrderOfTheirData) {
  const auto tensors =
      read_all(safetensors_file(R"({"z":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]},)"
                                R"("__metadata__":{"format":"pt"},)"
                                R"("a":{"dtype":"I64","shape":[1,1],"data_offsets":[10,18]},)"
                                R"("m":{"shape":[],"data_offsets":[6,10],"dtype":"F32"}}   )",
                                "ABCDEFGHIJKLMNOPQR"));
  ASSERT_EQ(tensors.size(), 3U);
  EXPECT_EQ(tensors[0].name, "z");
  EXPECT_EQ(tensors[0].dtype, DType::kBF16);
  EXPECT_EQ(tensors[0].shape, std::vector<std::uint64_t>{3});
  EXPECT_EQ(tensors[0].data, "ABCDEF");
  EXPECT_EQ(tensors[1].name, "m");
  EXPECT_EQ(tensors[1].shape, std::vector<std::uint64_t>{});
  EXPECT_EQ(tensors[1].data, "GHIJ");
  EXPECT_EQ(tensors[2].name, "a");
  EXPECT_EQ(tensors[2].dtype, DType::kI64);
  EXPECT_EQ(tensors[2].data, "KLMNOPQR");
}

TEST(Safetensors, EmptyFilesScalarsAndEmptyTensorsAreLegal) {
  EXPECT_TRUE(read_all(safetensors_file("{}", "")).empty());
  EXPECT_TRUE(read_all(safetensors_file(R"({"__metadata__":{}})", "")).empty());
  const auto tensors = read_all(safetensors_file(
      R"({"e":{"dtype":"F32","shape":[2,0],"data_offsets":[0,0]},)"
      R"("f":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
      R"("g":{"dtype":"F16","shape":[0,18446744073709551615],"data_offsets":[4,4]}})",
      "ABCD"));
  ASSERT_EQ(tensors.size(), 3U);
  EXPECT_EQ(tensors[0].name, "e");
  EXPECT_EQ(tensors[1].data, "ABCD");
  EXPECT_EQ(tensors[2].data, "");
}

TEST(Safetensors, HeaderTooSmall) {
  for (std::size_t size = 0; size < 8; ++size) {
    expect_refused(std::string(size, '\0'), "has " + std::to_string(size) + " bytes");
  }
}

TEST(Safetensors, HeaderTooLarge) {
  const std::string body(64, ' ');
  for (const std::uint64_t length :
       {std::uint64_t{25'000'001}, std::uint64_t{1} << 32, ~std::uint64_t{0}}) {
    expect_refused(header_length(length) + body,
                   "would have " + std::to_string(length) + " bytes, at most 25000000");
  }
  // What a text file, such as a web page saved by mistake, looks like.
  expect_refused("<!DOCTYPE html><html>", "not a safetensors file");
}

TEST(Safetensors, InvalidHeaderLength) {
  expect_refused(header_length(3) + "{}", "has 3 bytes, but only 2 follow");
  expect_refused(header_length(25'000'000) + "{}",
                 "only 2 follow; the file is cut off, download it again");
}

TEST(Safetensors, InvalidHeaderStart) {
  for (const char* header : {"", " {}", "[]", "\n{}", "null", "\xEF\xBB\xBF{}"}) {
    expect_refused(safetensors_file(header, ""), "does not begin with '{'");
  }
}

TEST(Safetensors, InvalidHeaderEncoding) {
  expect_refused(safetensors_file("{\"\xFF\":{}}", ""), "not valid JSON");
  expect_refused(safetensors_file("{\"\xC0\x80\":{}}", ""), "not valid JSON");
  expect_refused(safetensors_file(std::string("{}\0", 3), ""), "header");
}

TEST(Safetensors, InvalidHeaderDeserialization) {
  for (const char* header : {"{", "{}}", "{} {}", R"({"t":)", R"({"t":1})", R"({"t":null})",
                             R"({"t":[]})", R"({"t":{}})", R"({"t":{"dtype":"F32","shape":[2]}})",
                             R"({"t":{"dtype":"F32","data_offsets":[0,8]}})",
                             R"({"t":{"shape":[2],"data_offsets":[0,8]}})",
                             R"({"t":{"dtype":1,"shape":[2],"data_offsets":[0,8]}})",
                             R"({"t":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})",
                             R"({"t":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}})"}) {
    refused(safetensors_file(header, "ABCDEFGH"));
  }
  for (const char* shape :
       {"[-2]", "[2.0]", "[2.5]", "[1e0]", "[true]", "[null]", "[18446744073709551616]", "[[2]]"}) {
    expect_refused(one_tensor(shape, "[0,8]"), "tensor \"t\": shape holds");
  }
  expect_refused(one_tensor("[2]", "[0]"), "data_offsets has 1 elements, expected 2");
  expect_refused(one_tensor("[2]", "[0,8,8]"), "data_offsets has 3 elements, expected 2");
  expect_refused(one_tensor("[2]", "[-1,8]"), "data_offsets holds \"-1\"");
}

TEST(Safetensors, NegativeZeroIsZero) {
  EXPECT_EQ(read_all(one_tensor("[2]", "[-0,8]")).at(0).data, "ABCDEFGH");
}

TEST(Safetensors, MetadataHoldsStringsOnly) {
  for (const char* metadata :
       {"1", "null", "[]", "\"x\"", R"({"a":1})", R"({"a":null})", R"({"a":{"b":"c"}})"}) {
    expect_refused(safetensors_file("{\"__metadata__\":" + std::string(metadata) + "}", ""),
                   "__metadata__");
  }
}

TEST(Safetensors, DuplicateKeysAreRefused) {
  const std::string tensor = R"("t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  expect_refused(safetensors_file("{" + tensor + "," + tensor + "}", "ABCDEFGH"), "\"t\"");
  // Also when one of them is written with an escape.
  expect_refused(
      safetensors_file(
          "{" + tensor + R"(,"\u0074":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}})",
          "ABCDEFGH"),
      "\"t\"");
  expect_refused(
      safetensors_file(R"({"t":{"dtype":"F16","dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                       "ABCDEFGH"),
      "\"dtype\"");
}

TEST(Safetensors, InvalidOffset) {
  const auto two = [](const std::string& first, const std::string& second) {
    return safetensors_file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)" + first +
                                R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + second +
                                "}}",
                            "ABCDEFGH");
  };
  EXPECT_EQ(read_all(two("[4,8]", "[0,4]")).size(), 2U);
  expect_refused(two("[0,4]", "[0,4]"), "tensor \"b\" begins at byte 0 of the data, expected 4");
  expect_refused(two("[0,4]", "[3,7]"), "overlaps");
  expect_refused(two("[0,4]", "[5,9]"), "there is a hole before it");
  expect_refused(two("[1,5]", "[5,9]"), "tensor \"a\" begins at byte 1 of the data, expected 0");
  expect_refused(one_tensor("[2]", "[8,0]"), "its data_offsets are [8, 0]");
  expect_refused(one_tensor("[0]", "[8,0]"), "its data_offsets are [8, 0]");
  // end - begin would wrap around to 8.
  expect_refused(one_tensor("[2]", "[18446744073709551608,0]"), "data_offsets are");
  expect_refused(one_tensor("[2]", "[18446744073709551607,18446744073709551615]"),
                 "begins at byte 18446744073709551607");
}

TEST(Safetensors, ValidationOverflow) {
  for (const char* shape : {"[4611686018427387904]",    // 2^62 elements: the bytes wrap around to 0
                            "[4294967296,4294967296]",  // the elements do
                            "[4611686018427387906]",    // ... to 8 bytes
                            "[18446744073709551615]", "[18446744073709551615,18446744073709551615]",
                            "[2,9223372036854775808,0]"}) {  // the reference refuses this one too
    expect_refused(one_tensor(shape, "[0,8]"), "overflows 64 bits");
  }
}

TEST(Safetensors, TensorInvalidInfo) {
  expect_refused(one_tensor("[1]", "[0,8]"), "needs 4 bytes by shape and dtype");
  expect_refused(one_tensor("[3]", "[0,8]"), "needs 12 bytes");
  expect_refused(one_tensor("[0]", "[0,8]"), "needs 0 bytes");
  expect_refused(one_tensor("[1,1,1,1,1,1,1,1,2]", "[0,8]"), "has 9 elements, at most 8");
  EXPECT_EQ(read_all(one_tensor("[1,1,1,1,1,1,1,2]", "[0,8]")).size(), 1U);
}

TEST(Safetensors, MetadataIncompleteBuffer) {
  EXPECT_EQ(read_all(safetensors_file(kHeader, kData)).size(), 2U);
  expect_refused(safetensors_file(kHeader, "ABCDEFGHIJK"), "(it is cut off, download it again)");
  expect_refused(safetensors_file(kHeader, "ABCDEFGHIJKLM"), "(something was appended)");
  expect_refused(safetensors_file("{}", "A"), "the tensors end at byte 0");
}

TEST(Safetensors, OtherDtypesAreUnsupportedAndUnknownOnesInvalid) {
  const auto file = [](const std::string& dtype) {
    return safetensors_file(
        R"({"t":{"dtype":")" + dtype + R"(","shape":[1],"data_offsets":[0,8]}})", "ABCDEFGH");
  };
  EXPECT_EQ(read_all(file("I64")).size(), 1U);
  for (const std::string dtype : {"F64", "I32", "U8", "BOOL", "F8_E4M3", "C64", "F4"}) {
    expect_refused(file(dtype), "has dtype " + dtype + "; supported: F32, F16, BF16",
                   ErrorCode::kUnsupportedModel);
  }
  for (const std::string dtype : {"f32", "FLOAT", "", "F32 "}) {
    expect_refused(file(dtype), "unknown dtype \"" + dtype + "\"");
  }
}

TEST(Safetensors, NamesAndTheirNumberAreLimited) {
  const auto file = [](const std::string& name, std::size_t tensors) {
    std::string header = "{";
    for (std::size_t i = 0; i < tensors; ++i) {
      header += (i > 0 ? "," : "") + ('"' + name + std::to_string(i)) +
                R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
    }
    return safetensors_file(header + "}", "");
  };
  EXPECT_EQ(read_all(file(std::string(511, 'n'), 1)).size(), 1U);
  expect_refused(file(std::string(512, 'n'), 1), "has 513 bytes, at most 512");
  EXPECT_EQ(read_all(file("n", 10'000)).size(), 10'000U);
  expect_refused(file("n", 10'001), "has 10001 tensors, at most 10000");
}

// Parsing such a header of 25 MB took 608 MB.
TEST(Safetensors, AHeaderOfMillionsOfValuesIsRefusedBeforeItIsParsed) {
  std::string shape = "[1";
  for (int i = 0; i < 500'000; ++i) shape += ",1";
  const std::string file = one_tensor(shape + "]", "[0,8]");
  expect_refused(file, "more than 500000 values", ErrorCode::kLimitExceeded);
}

TEST(Safetensors, NamesInMessagesAreEscaped) {
  const std::string message =
      refused(safetensors_file("{\"a\\n\\u001b[31m\":{\"dtype\":\"F32\"}}", ""));
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(Safetensors, NothingIsPushedBeforeAllChecksHavePassed) {
  const std::string file = safetensors_file(kHeader, "ABCDEFGHIJK");
  std::size_t pushed = 0;
  EXPECT_THROW(read_safetensors(std::as_bytes(std::span(file)), "model.safetensors",
                                [&](const Tensor&) { ++pushed; }),
               Error);
  EXPECT_EQ(pushed, 0U);
}

TEST(Safetensors, TruncatedAnywhereIsRefused) {
  const std::string file = safetensors_file(kHeader, kData);
  for (std::size_t size = 0; size < file.size(); ++size) refused(file.substr(0, size));
}

// A damaged header byte is refused or gives tensors that still lie within the data.
TEST(Safetensors, EveryHeaderByteWithEveryBitFlippedNeverReadsOutside) {
  const std::string file = safetensors_file(kHeader, kData);
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < file.size() - sizeof(kData) + 1; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = file;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      try {
        std::size_t bytes = 0;
        for (const ReadTensor& tensor : read_all(damaged)) bytes += tensor.data.size();
        EXPECT_EQ(bytes, sizeof(kData) - 1);
        ++accepted;
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == ErrorCode::kInvalidModel ||
                    error.code() == ErrorCode::kUnsupportedModel)
            << error.what();
      }
    }
  }
  EXPECT_GT(accepted, 0U);  // e.g. another name
}

TEST(Safetensors, TheDefaultModelIsRefusedWhenTruncatedAtAny256th) {
  const MappedFile file(LAMBERT_SOURCE_DIR "/models/distilbert-minilm-squad/model.safetensors");
  std::size_t parameters = 0;
  const auto count = [&](const Tensor& tensor) { parameters += tensor.elements(); };
  read_safetensors(file.bytes(), "model.safetensors", count);
  EXPECT_EQ(parameters, 22'565'378U);
  for (std::size_t part = 0; part < 256; ++part) {
    const auto cut = file.bytes().first(file.bytes().size() * part / 256);
    EXPECT_THROW(read_safetensors(cut, "model.safetensors", count), Error) << part;
  }
}

TEST(DType, HasNamesAndSizes) {
  EXPECT_EQ(dtype_name(DType::kF32), "F32");
  EXPECT_EQ(dtype_name(DType::kF16), "F16");
  EXPECT_EQ(dtype_name(DType::kBF16), "BF16");
  EXPECT_EQ(dtype_name(DType::kI64), "I64");
  EXPECT_EQ(item_size(DType::kF32), 4U);
  EXPECT_EQ(item_size(DType::kF16), 2U);
  EXPECT_EQ(item_size(DType::kBF16), 2U);
  EXPECT_EQ(item_size(DType::kI64), 8U);
}

}  // namespace
}  // namespace lambert
