// lambert archive and lambert package.
#include <gtest/gtest.h>

#include <map>

#include "../sanitized.h"
#include "base/mapped_file.h"
#include "checkpoint/zip_reader.h"
#include "process.h"
#include "test_files.h"

namespace lambert {
namespace {

// What the zip file holds; contents are inflated and checked.
std::map<std::string, std::string> unzip(const std::string& path) {
  const MappedFile file(path);
  std::map<std::string, std::string> contents;
  for (const ZipEntry& entry : read_zip_directory(file.bytes(), path)) {
    std::string content(static_cast<std::size_t>(entry.size), '\0');
    inflate_zip_entry(entry, std::as_writable_bytes(std::span(content)), path);
    check_zip_crc(entry, std::as_bytes(std::span(content)), path);
    contents.emplace(entry.name, std::move(content));
  }
  return contents;
}

std::string content_of(const std::string& path) {
  return std::string(MappedFile(path).text());
}

TEST(ArchiveCommand, MakesAModelOfTheSameBytesEachTime) {
  const TestDirectory directory;
  const std::string first = directory / "a.tar.gz", second = directory / "b.tar.gz";
  ASSERT_EQ(run({"archive", kModel, "-o", first}).exit_code, 0);
  ASSERT_EQ(run({"archive", kModel, "-o", second}).exit_code, 0);
  EXPECT_TRUE(content_of(first) == content_of(second));
  const Ended again = run({"archive", kModel, "-o", first});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_NE(again.err.find("--force"), std::string::npos) << again.err;
  EXPECT_EQ(run({"archive", kModel, "-o", first, "--force", "--level", "0"}).exit_code, 0);
  const std::vector<std::string> ask = {"ask",           "-q",     "Who wrote it?", "-c",
                                        "Ada wrote it.", "--model"};
  for (const std::string& path : {first, second}) {
    std::vector<std::string> arguments = ask;
    arguments.push_back(path);
    const Ended answer = run(arguments);
    EXPECT_NE(answer.out.find("\"answer\":\"Ada\""), std::string::npos) << answer.err;
  }
}

TEST(ArchiveCommand, WantsWeights) {
  const TestDirectory directory;
  directory.write("config.json", "{}");
  const Ended result = run({"archive", directory / "", "-o", directory / "a.tar.gz"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("has no weights"), std::string::npos) << result.err;
}

TEST(PackageCommand, HoldsTheProgramAlone) {
  const TestDirectory directory;
  const std::string zip = directory / "function.zip";
  RunOptions options;  // what the function is told is not packed
  options.environment = {"LAMBERT_MODEL=" + kModel};
  ASSERT_EQ(run({"package", "-o", zip}, options).exit_code, 0);
  const auto contents = unzip(zip);
  ASSERT_EQ(contents.size(), 1U);
  EXPECT_TRUE(contents.at("bootstrap") == content_of(LAMBERT_PROGRAM));
}

TEST(PackageCommand, HoldsAModelOrItsConfiguration) {
  const TestDirectory directory;
  const std::string zip = directory / "function.zip", same = directory / "same.zip";
  ASSERT_EQ(run({"package", "--model", kModel, "-o", zip}).exit_code, 0);
  ASSERT_EQ(run({"package", "--model", kModel, "-o", same}).exit_code, 0);
  EXPECT_TRUE(content_of(zip) == content_of(same));
  const auto with_model = unzip(zip);
  for (const char* const name : {"config.json", "tokenizer.json", "model.safetensors"}) {
    EXPECT_TRUE(with_model.at("model/" + std::string(name)) == content_of(kModel + "/" + name));
  }
  ASSERT_EQ(run({"package", "--config-dir", kModel, "-o", zip, "--force"}).exit_code, 0);
  const auto with_configuration = unzip(zip);
  EXPECT_TRUE(with_configuration.contains("model/config.json"));
  EXPECT_TRUE(with_configuration.contains("model/vocab.txt"));
  EXPECT_FALSE(with_configuration.contains("model/model.safetensors"));
}

TEST(PackageCommand, HoldsAPackedModelForAPrecision) {
  const TestDirectory directory;
  const std::string zip = directory / "function.zip", packed = directory / "squad.lambert";
  ASSERT_EQ(run({"package", "--model", kModel, "--precision", "int8", "-o", zip}).exit_code, 0);
  // A sanitizer's program, which goes into the zip, is several times larger.
  if (LAMBERT_SANITIZED == 0) {
    EXPECT_LE(std::filesystem::file_size(zip), 25'000'000U);
  }
  ASSERT_EQ(run({"pack", kModel, "--precision", "int8", "-o", packed}).exit_code, 0);
  const auto contents = unzip(zip);
  EXPECT_EQ(contents.size(), 2U);
  EXPECT_TRUE(contents.at("model/model.lambert") == content_of(packed));
  ASSERT_EQ(run({"package", "--model", packed, "-o", zip, "--force"}).exit_code, 0);
  EXPECT_TRUE(unzip(zip).at("model/model.lambert") == content_of(packed));
  const Ended other =
      run({"package", "--model", packed, "--precision", "fp32", "-o", zip, "--force"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.err.find("was packed as int8"), std::string::npos) << other.err;
}

}  // namespace
}  // namespace lambert
