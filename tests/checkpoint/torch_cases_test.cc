// Files of torch 2.15, old and new, and hostile ones, with torch's verdict
// (tools/goldens/torch_cases.py). Ours reads the same tensors, and refuses everything else with a
// reason while it touches no file, process or network.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "../sanitized.h"
#include "base/error.h"
#include "checkpoint/torch_file.h"
#include "confined.h"
#include "golden_cases.h"

namespace lambert {
namespace {

struct TorchCase {
  std::string name, file, refused, torch, rule;
  boost::json::array tensors;  // of those that are not refused
};

const std::vector<TorchCase>& torch_cases() {
  static const auto* const cases = [] {
    auto* const read = new std::vector<TorchCase>;
    for (const boost::json::object& fields : golden_cases("torch_cases.jsonl")) {
      TorchCase one{
          text_field(fields, "name"), golden_file(fields), "", text_field(fields, "torch"), "", {}};
      if (fields.contains("refused")) one.refused = text_field(fields, "refused");
      if (fields.contains("rule")) one.rule = text_field(fields, "rule");
      if (fields.contains("tensors")) one.tensors = fields.at("tensors").as_array();
      read->push_back(std::move(one));
    }
    return read;
  }();
  return *cases;
}

std::vector<ReadTensor> read_all(std::string_view file) {
  return copy_tensors(file, "weights", read_torch_file);
}

TEST(TorchCases, TheTensorsAreTorchs) {
  int read = 0;
  for (const TorchCase& one : torch_cases()) {
    if (!one.refused.empty()) continue;
    EXPECT_TRUE(is_torch_file(std::as_bytes(std::span(one.file)))) << one.name;
    EXPECT_NO_THROW(expect_tensors(read_all(one.file), one.tensors, one.name)) << one.name;
    EXPECT_EQ(one.torch == "reads", one.rule.empty()) << one.name;  // where ours reads more
    ++read;
  }
  EXPECT_GE(read, 70);
}

TEST(TorchCases, HostileFilesAreRefusedWithTheReason) {
  const std::set<std::string> stricter = {"instructions and names of state dicts only",
                                          "types",
                                          "limits",
                                          "the tensors of one model",
                                          "protocols 2 to 4",
                                          "zip files that have one meaning",
                                          "whole legacy files"};
  int refused = 0;
  for (const TorchCase& one : torch_cases()) {
    if (one.refused.empty()) continue;
    try {
      read_all(one.file);
      ADD_FAILURE() << one.name << ": accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string_view(error.what()).find(one.refused), std::string_view::npos)
          << one.name << ": " << error.what();
      EXPECT_TRUE(std::string_view(error.what()).starts_with("weights: ")) << error.what();
    }
    EXPECT_EQ(one.torch == "reads", stricter.contains(one.rule)) << one.name;
    ++refused;
  }
  EXPECT_GE(refused, 300);
}

TEST(TorchCases, HostileFilesTouchNothing) {
  if (LAMBERT_SANITIZED != 0) GTEST_SKIP() << "sanitizers make system calls of their own";
  const std::vector<TorchCase>& cases = torch_cases();
  int hostile = 0;
  for (const TorchCase& one : cases) hostile += one.refused.empty() ? 0 : 1;
  long peak = 0;
  const long before = confined_idle_kib();
  const int refused = run_confined(
      [&] {
        int count = 0;
        for (const TorchCase& one : cases) {
          if (one.refused.empty()) continue;
          try {
            read_all(one.file);
          } catch (const Error&) {
            ++count;
          }
        }
        return count;
      },
      &peak);
  EXPECT_EQ(refused, hostile);
  EXPECT_LT(peak - before, 320 * 1024) << "KiB";  // a million values, and what holds them
}

TEST(TorchCases, AFileThatIsCutOffIsRefused) {
  for (const TorchCase& one : torch_cases()) {
    if (!one.refused.empty()) continue;
    for (std::size_t part = 0; part < 256; ++part) {
      const std::string_view cut =
          std::string_view(one.file).substr(0, one.file.size() * part / 256);
      EXPECT_THROW(read_all(cut), Error) << one.name << ", " << part << "/256";
    }
  }
}

// A changed bit of a zip file is refused or means nothing; one of a legacy file has no checksum
// but leaves every tensor within the file.
TEST(TorchCases, AChangedBitIsHarmless) {
  std::mt19937 generator(11);
  for (const TorchCase& one : torch_cases()) {
    if (one.name != "views, zip" && one.name != "views, legacy") continue;
    const bool is_zip = one.name == "views, zip";
    int refused = 0;
    for (std::size_t i = 0; i < one.file.size(); ++i) {
      std::string changed = one.file;
      changed[i] = static_cast<char>(changed[i] ^ (1 << generator() % 8));
      try {
        const std::vector<ReadTensor> found = read_all(changed);
        if (is_zip) expect_tensors(found, one.tensors, one.name + " " + std::to_string(i));
        for (const ReadTensor& tensor : found) {
          std::uint64_t bytes = item_size(tensor.dtype);
          for (const std::uint64_t extent : tensor.shape) bytes *= extent;
          EXPECT_EQ(tensor.data.size(), bytes);
        }
      } catch (const Error&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, static_cast<int>(one.file.size() / 4)) << one.name;
  }
}

}  // namespace
}  // namespace lambert
