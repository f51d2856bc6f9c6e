// Archives, good and hostile, with what Python's gzip and tarfile read from them
// (tools/goldens/archive_cases.py). Ours reads the same files, however the bytes arrive, and
// refuses everything else with a reason.
#include <gtest/gtest.h>

#include <map>

#include "../sanitized.h"
#include "base/error.h"
#include "checkpoint/archive_members.h"
#include "checkpoint/archive_reader.h"
#include "confined.h"
#include "golden_cases.h"

namespace lambert {
namespace {

// name -> content of the files that a model needs, in pieces of `piece` bytes.
std::map<std::string, std::string> read_archive(std::string_view file, std::size_t piece) {
  ArchiveReader reader("archive", {.max_bytes = std::uint64_t{1} << 30});
  while (!file.empty()) {
    const std::vector<char> bytes(
        file.begin(), file.begin() + static_cast<std::ptrdiff_t>(std::min(piece, file.size())));
    reader.push(std::as_bytes(std::span(bytes)));
    file.remove_prefix(bytes.size());
  }
  std::map<std::string, std::string> found;
  for (const ArchivedFile& one : reader.finish()) {
    if (member_kind(one.name) == MemberKind::kUnrelated) continue;
    EXPECT_TRUE(found.emplace(one.name, one.file.text()).second) << one.name;
  }
  return found;
}

TEST(ArchiveCases, TheFilesArePythons) {
  int read = 0;
  for (const boost::json::object& fields : golden_cases("archive_cases.jsonl")) {
    if (fields.contains("refused")) continue;
    const std::string name = text_field(fields, "name"), file = golden_file(fields);
    std::map<std::string, std::string> expected;
    for (const auto& one : fields.at("files").as_object()) {
      expected[std::string(one.key())] = decode_base64(one.value().as_string());
    }
    for (const std::size_t piece : {std::size_t{1}, std::size_t{511}, file.size()}) {
      EXPECT_EQ(read_archive(file, piece), expected) << name << ", pieces of " << piece;
    }
    ++read;
  }
  EXPECT_GE(read, 40);
}

TEST(ArchiveCases, HostileOnesAreRefusedWithTheReason) {
  int refused = 0;
  for (const boost::json::object& fields : golden_cases("archive_cases.jsonl")) {
    if (!fields.contains("refused")) continue;
    const std::string name = text_field(fields, "name"), file = golden_file(fields);
    for (const std::size_t piece : {std::size_t{100'000}, file.size() + 1}) {
      try {
        read_archive(file, piece);
        ADD_FAILURE() << name << ": accepted";
      } catch (const Error& error) {
        EXPECT_NE(std::string_view(error.what()).find(text_field(fields, "refused")),
                  std::string_view::npos)
            << name << ": " << error.what();
        EXPECT_TRUE(std::string_view(error.what()).starts_with("archive")) << error.what();
      }
    }
    ++refused;
  }
  EXPECT_GE(refused, 80);
}

TEST(ArchiveCases, HostileOnesTouchNothing) {
  if (LAMBERT_SANITIZED != 0) GTEST_SKIP() << "sanitizers make system calls of their own";
  std::vector<std::string> hostile;
  for (const boost::json::object& fields : golden_cases("archive_cases.jsonl")) {
    if (fields.contains("refused")) hostile.push_back(golden_file(fields));
  }
  const long before = confined_idle_kib();
  long peak = 0;
  const int refused = run_confined(
      [&] {
        int count = 0;
        for (const std::string& file : hostile) {
          try {
            read_archive(file, 100'000);
          } catch (const Error&) {
            ++count;
          }
        }
        return count;
      },
      &peak);
  EXPECT_EQ(refused, static_cast<int>(hostile.size()));
  // A bomb is kept as far as it came: the 16 MiB from which on its factor counts.
  EXPECT_LT(peak - before, 64 * 1024) << "KiB";
}

// Cut within the last member or its padding, or within the compressed data.
TEST(ArchiveCases, AFileThatIsCutOffIsRefused) {
  for (const boost::json::object& fields : golden_cases("archive_cases.jsonl")) {
    const std::string name = text_field(fields, "name");
    if (name != "gnu" && name != "gnu, gzip" && name != "pax, long names") continue;
    const std::string file = golden_file(fields);
    const auto whole = read_archive(file, file.size());
    for (std::size_t part = 0; part < 256; ++part) {
      const std::size_t size = file.size() * part / 256;
      try {
        const auto found = read_archive(std::string_view(file).substr(0, size), 4096);
        // A tar archive that ends between members is one: the blocks of zeros are often missing.
        EXPECT_FALSE(name.ends_with("gzip")) << part;
        EXPECT_TRUE(size % 512 == 0 || found == whole) << name << ", " << part << "/256";
        for (const auto& [one, content] : found) EXPECT_EQ(content, whole.at(one));
      } catch (const Error&) {
      }
    }
  }
}

}  // namespace
}  // namespace lambert
