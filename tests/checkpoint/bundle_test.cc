#include "checkpoint/bundle.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "base/mapped_file.h"
#include "bundle_file.h"

namespace lambert {
namespace {

constexpr char kAnew[] = "; download it again or pack it anew";

TEST(Bundle, SectionsAreViewsOfTheFileByKindAndIndex) {
  const std::string file = small_bundle();
  const Bundle bundle(as_file(file), "m.lambert");
  EXPECT_EQ(bundle.format(), 1U);
  ASSERT_EQ(bundle.sections().size(), 3U);
  EXPECT_EQ(bundle.sections()[0].kind, kData);
  EXPECT_EQ(bundle.sections()[0].index, 0U);
  EXPECT_EQ(bundle.sections()[1].kind, kData);
  EXPECT_EQ(bundle.sections()[1].index, 1U);
  EXPECT_EQ(bundle.sections()[2].kind, kConf);
  EXPECT_EQ(as_text(bundle.get(kConf)), "hello");
  EXPECT_EQ(as_text(bundle.get(kData, 1)), std::string(70, 'x'));
  EXPECT_EQ(as_text(bundle.get(kData)), "");
  EXPECT_EQ(static_cast<const void*>(bundle.get(kConf).data()), file.data() + 320);
  EXPECT_EQ(bundle.sections(kData).size(), 2U);
  EXPECT_EQ(bundle.sections(section_kind("none")).size(), 0U);
  EXPECT_FALSE(bundle.find(kConf, 1));
  EXPECT_FALSE(bundle.find(kData, 2));
  bundle.verify();
}

// The specification, byte for byte: a reader of another make depends on it.
TEST(Bundle, FormatOneIsAsSpecified) {
  std::string file;
  BundleWriter writer(&file, 1);
  writer.add(section_kind("conf"), 7, as_file("123456789"));
  writer.finish();
  using namespace std::string_literals;
  const std::string expected =
      "\x89LAMB\r\n\x1A\x04\x03\x02\x01????\x60\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0"
      "\x89\0\0\0\0\0\0\0"s +
      std::string(24, '\0') +
      "conf\x07\0\0\0\x80\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x83\x92\x06\xE3\0\0\0\0"s +
      std::string(32, '\0') + "123456789";
  EXPECT_EQ(file, sealed(expected, 96));
  EXPECT_EQ(file.substr(12, 4), "\x0E\x9E\x9E\x30");  // by another implementation
}

TEST(Bundle, MissingSectionIsNamed) {
  const std::string file = small_bundle();
  const Bundle bundle(as_file(file), "m.lambert");
  EXPECT_EQ(error_of([&] { bundle.get(kData, 9); }, ErrorCode::kInvalidModel),
            "m.lambert: has no section data 9 among its 3; pack it anew with this Lambert");
  EXPECT_EQ(section_name(0x01020304, 5), "section 0x01020304 5");
}

TEST(Bundle, IsBundleLooksAtTheMagicOnly) {
  const std::string file = small_bundle();
  EXPECT_TRUE(is_bundle(as_file(file)));
  EXPECT_TRUE(is_bundle(as_file(file.substr(0, 8))));
  EXPECT_FALSE(is_bundle(as_file(file.substr(0, 7))));
  EXPECT_FALSE(is_bundle({}));
  EXPECT_FALSE(is_bundle(as_file("PK\x03\x04 and more")));
}

TEST(Bundle, ForeignFilesAreRefused) {
  EXPECT_EQ(refused_bundle(""), std::string("is empty, expected a packed model") + kAnew);
  for (const std::string file : {"x", "{\"model\": 1}", "PK\x03\x04", "\x89LAMB\n\x1A as text"}) {
    EXPECT_TRUE(refused_bundle(file).starts_with("not a packed model of Lambert: begins with "));
  }
  EXPECT_EQ(refused_bundle("{\"format\": 1}"),
            std::string("not a packed model of Lambert: begins with \"{\\\"format\", expected "
                        "\"\\x89LAMB\\x0d\\x0a\\x1a\"") +
                kAnew);
}

TEST(Bundle, CutOffAnywhereIsFoundAtOpen) {
  const std::string file = small_bundle();
  for (std::size_t size = 1; size < file.size(); ++size) {
    const std::string message = refused_bundle(file.substr(0, size));
    const std::string both = "is cut off: has " + std::to_string(size) + " bytes, ";
    const std::string expected = size < 64    ? both + "the header alone 64"
                                 : size < 160 ? both + "its header alone 160 and the file 384"
                                              : both + "its header says 384";
    EXPECT_EQ(message, expected + kAnew);
  }
  EXPECT_EQ(refused_bundle(file + "x"),
            std::string("something was appended: has 385 bytes, its header says 384") + kAnew);
}

TEST(Bundle, EveryFlippedBitOfTheHeaderIsRefused) {
  const std::string file = small_bundle();
  for (std::size_t bit = 0; bit < 8 * 160; ++bit) {
    std::string damaged = file;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    const std::string message = refused_bundle(damaged);  // never as of a later version
    EXPECT_NE(message.find(kAnew), std::string::npos) << message;
  }
}

TEST(Bundle, VerifyFindsEveryFlippedBitBehindTheHeader) {
  std::string file = small_bundle();
  for (std::size_t bit = 8 * 160; bit < 8 * file.size(); ++bit) {
    const auto flip = [&] { file[bit / 8] = static_cast<char>(file[bit / 8] ^ 1 << bit % 8); };
    flip();
    const Bundle bundle(as_file(file), "m.lambert");  // a walk over the content is not its business
    const std::string message = error_of([&] { bundle.verify(); }, ErrorCode::kInvalidModel);
    const std::size_t byte = bit / 8;
    const std::string begin = byte >= 192 && byte < 262 ? "section data 1 is damaged: its checksum"
                              : byte >= 320 && byte < 325
                                  ? "section conf 0 is damaged: its checksum"
                                  : "byte " + std::to_string(byte) + ", ";
    EXPECT_TRUE(message.starts_with("m.lambert: " + begin)) << message;
    flip();
  }
  Bundle(as_file(file), "m.lambert").verify();
}

TEST(Bundle, WrongByteOrderIsNamed) {
  std::string file = small_bundle();
  put_at(file, 8, 0x04030201, 4);
  EXPECT_EQ(
      refused_bundle(file),
      std::string("is big-endian: its byte order is 0x04030201, expected 0x01020304") + kAnew);
}

TEST(Bundle, LaterVersionThatEarlierReadersCanReadIsRead) {
  std::string file = with(small_bundle(), 3, 20, 9, 4);
  file = with(file, 3, 40, 0x1234, 8);           // zeros that a later version uses
  file = with(file, 3, kConfEntry + 28, 77, 4);  // and in the table
  const Bundle bundle(as_file(file), "m.lambert");
  EXPECT_EQ(bundle.format(), 9U);
  bundle.verify();
}

TEST(Bundle, VersionForLaterReadersIsRefusedByName) {
  const std::string message =
      "made by a later Lambert: format 9 for readers of 2 and later, this one reads up to 1; "
      "update Lambert";
  std::string file = with(with(small_bundle(), 3, 20, 9, 4), 3, 24, 2, 4);
  EXPECT_EQ(refused_bundle(file, ErrorCode::kUnsupportedModel), message);
  // Of whatever else it has only the size of its header is known.
  put_at(file, 16, 256, 4);
  put_at(file, 28, 0xFFFFFFFF, 4);
  put_at(file, 64, ~std::uint64_t{0}, 8);
  EXPECT_EQ(refused_bundle(sealed(file, 256), ErrorCode::kUnsupportedModel), message);
}

TEST(Bundle, ContradictoryVersionsAreRefused) {
  const std::string file = small_bundle();
  EXPECT_EQ(refused_bundle(with(file, 3, 24, 0, 4)),
            std::string("the header is damaged: reader is 0, expected 1 to its format, 1") + kAnew);
  EXPECT_EQ(refused_bundle(with(file, 3, 24, 2, 4)),
            std::string("the header is damaged: reader is 2, expected 1 to its format, 1") + kAnew);
  EXPECT_EQ(refused_bundle(with(file, 3, 20, 0, 4)),
            std::string("the header is damaged: reader is 1, expected 1 to its format, 0") + kAnew);
}

struct HostileCase {
  const char* name;
  std::size_t at;
  std::uint64_t value;
  int bytes;
  const char* message;
};

// Headers whose checksum is right: somebody made them so.
constexpr HostileCase kHostileCases[] = {
    {"header too short", 16, 63, 4, "the header is damaged: header bytes is 63, expected 64 to"},
    {"header too long", 16, 1 << 20 | 1, 4, "the header is damaged: header bytes is 1048577, exp"},
    {"header outside", 16, 385, 4, "is cut off: has 384 bytes, its header alone 385"},
    {"fewer sections", 28, 2, 4, "the header is damaged: header bytes is 160, expected 128 for 2 "},
    {"more sections", 28, 4, 4, "the header is damaged: header bytes is 160, expected 192 for 4 s"},
    {"too many", 28, 16'385, 4, "has 16385 sections, at most 16384 are accepted"},
    {"most", 28, 0xFFFFFFFF, 4, "has 4294967295 sections, at most 16384 are accepted"},
    {"size more", 32, 385, 8, "is cut off: has 384 bytes, its header says 385"},
    {"size most", 32, ~0ULL, 8, "is cut off: has 384 bytes, its header says 18446744073709551615"},
    {"size less", 32, 383, 8, "something was appended: has 384 bytes, its header says 383"},
    {"not aligned", kConfEntry + 8, 321, 8, "section conf 0 begins at byte 321, expected a mult"},
    {"outside", kConfEntry + 8, 448, 8,
     "section conf 0 leaves the file: 5 bytes from byte 448 of "},
    {"far outside", kConfEntry + 8, ~63ULL, 8, "section conf 0 leaves the file: 5 bytes from byte"},
    {"too large", kConfEntry + 16, 65, 8, "section conf 0 leaves the file: 65 bytes from byte 320"},
    {"overflow", kConfEntry + 16, ~0ULL - 319, 8,
     "section conf 0 leaves the file: 184467440737095"},
    {"over the header", kConfEntry + 8, 0, 8, "section conf 0 begins at byte 0, expected 160 or l"},
    {"over the table", kConfEntry + 8, 128, 8, "section conf 0 begins at byte 128, expected 160 o"},
    {"in another", kConfEntry + 8, 256, 8, "section conf 0 begins at byte 256, expected 262 or la"},
    {"on another", kConfEntry + 8, 192, 8, "section data 1 begins at byte 192, expected 197 or la"},
    {"an empty one within", kData0Entry + 8, 256, 8,
     "section data 0 begins at byte 256, expected "},
    {"over the next", kData1Entry + 16, 129, 8,
     "section conf 0 begins at byte 320, expected 321 o"},
    {"end before", kData0Entry + 8, 192, 8, "has 384 bytes, but its last section ends at byte 325"},
    {"twice", kData1Entry + 4, 0, 4, "section data 0 is there twice"},
    {"order of index", kData0Entry + 4, 2, 4, "section data 1 is not where its kind and index be"},
    {"order of kind", kConfEntry, 0, 4,
     "section 0x00000000 0 is not where its kind and index belon"},
};

TEST(Bundle, HostileHeadersAreRefused) {
  const std::string file = small_bundle();
  for (const HostileCase& test : kHostileCases) {
    const std::string message = refused_bundle(with(file, 3, test.at, test.value, test.bytes));
    EXPECT_TRUE(message.starts_with(test.message)) << test.name << ": " << message;
    EXPECT_TRUE(message.ends_with(kAnew)) << test.name << ": " << message;
  }
}

TEST(Bundle, HolesOfAPageAreRefused) {
  std::string file;
  BundleWriter writer(&file, 2);
  writer.add(kConf, 0, as_file(std::string(64, 'x')));
  writer.add(kData, 0, as_file(std::string(64, 'y')));
  writer.finish();  // at 128 and 192
  file.insert(192, 4'032, '\0');
  file = with(with(file, 2, 32, file.size(), 8), 2, 64 + 8, 192 + 4'032, 8);
  Bundle(as_file(file), "m.lambert").verify();
  file.insert(192, 64, '\0');
  file = with(with(file, 2, 32, file.size(), 8), 2, 64 + 8, 192 + 4'096, 8);
  EXPECT_EQ(
      refused_bundle(file),
      std::string("section data 0 begins at byte 4288, 4096 behind what is before it, expected "
                  "less than 4096") +
          kAnew);
}

TEST(Bundle, EmptySectionsMayShareAPlace) {
  std::string file;
  BundleWriter writer(&file, 4);
  for (const std::uint32_t index : {3U, 1U}) writer.add(kData, index, {});
  writer.add(kConf, 0, as_file("x"));
  writer.add(kData, 0, {});
  writer.finish();
  Bundle(as_file(file), "m.lambert").verify();
}

TEST(Bundle, NoSections) {
  std::string file;
  BundleWriter(&file, 0).finish();
  EXPECT_EQ(file.size(), 64U);
  const Bundle bundle(as_file(file), "m.lambert");
  EXPECT_TRUE(bundle.sections().empty());
  bundle.verify();
}

// Of a gibibyte only the first page may be touched.
TEST(Bundle, OpeningTouchesTheHeaderOnly) {
  constexpr std::size_t kSize = std::size_t{1} << 30;
  std::string file;
  BundleWriter writer(&file, 1);
  writer.add(kData, 0, as_file(std::string(64, '\0')));
  writer.finish();  // at 128
  file = with(with(file, 1, 32, kSize, 8), 1, 64 + 16, kSize - 128, 8);
  auto mapped = MappedFile::in_memory("m.lambert", kSize);
  const auto memory = mapped.writable();
  std::memcpy(memory.data(), file.data(), 128);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  ASSERT_EQ(::mprotect(memory.data() + page, kSize - page, PROT_NONE), 0);
  const Bundle bundle(mapped.bytes(), mapped.path());
  EXPECT_EQ(bundle.get(kData).size(), kSize - 128);
  EXPECT_EQ(bundle.get(kData).data(), memory.data() + 128);
}

}  // namespace
}  // namespace lambert
