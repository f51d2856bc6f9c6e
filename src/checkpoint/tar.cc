#include "checkpoint/tar.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "base/error.h"

namespace lambert {

namespace {

constexpr std::uint64_t kMaxExtended = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 60;
// Places and lengths of the fields of a header.
constexpr std::size_t kName = 0, kNameLength = 100, kSize = 124, kNumberLength = 12;
constexpr std::size_t kChecksum = 148, kChecksumLength = 8, kType = 156, kMagic = 257;
constexpr std::size_t kPrefix = 345, kPrefixLength = 155;
constexpr std::size_t kSparseContinues = 482, kSparseBlockContinues = 504;  // GNU

unsigned char at(std::span<const std::byte> block, std::size_t i) {
  return std::to_integer<unsigned char>(block[i]);
}

// Octal digits, with spaces before and a space or NUL behind; nothing for what is none.
std::optional<std::uint64_t> octal(std::span<const std::byte> field) {
  std::size_t i = 0;
  while (i < field.size() && at(field, i) == ' ') ++i;
  std::uint64_t value = 0;
  for (; i < field.size() && at(field, i) >= '0' && at(field, i) <= '7'; ++i) {
    if (value > kMaxSize) return std::nullopt;
    value = value * 8 + (at(field, i) - '0');
  }
  for (; i < field.size(); ++i) {
    if (at(field, i) != ' ' && at(field, i) != 0) return std::nullopt;
  }
  return value;
}

// GNU: the rest of the field is a big-endian number; the first byte is 0x80.
std::optional<std::uint64_t> base_256(std::span<const std::byte> field) {
  if (at(field, 0) != 0x80) return std::nullopt;  // 0xFF: a negative number
  std::uint64_t value = 0;
  for (std::size_t i = 1; i < field.size(); ++i) {
    if (value > kMaxSize >> 8) return std::nullopt;
    value = value << 8 | at(field, i);
  }
  return value;
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

bool is_file(char type) {
  return type == '0' || type == '\0' || type == '7';
}

}  // namespace

TarReader::TarReader(std::string source, OnMember on_member)
    : source_(std::move(source)), on_member_(std::move(on_member)) {}

bool TarReader::is_header(std::span<const std::byte> block) {
  if (block.size() < kBlock || all_zero(block.first(kBlock))) return false;
  const auto stated = octal(block.subspan(kChecksum, kChecksumLength));
  std::uint64_t sum = 0;
  std::int64_t signed_sum = 0;  // as some old programs added
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool blank = i >= kChecksum && i < kChecksum + kChecksumLength;
    const unsigned char byte = blank ? ' ' : at(block, i);
    sum += byte;
    signed_sum += static_cast<signed char>(byte);
  }
  return stated && (*stated == sum || static_cast<std::int64_t>(*stated) == signed_sum);
}

void TarReader::refuse(const std::string& what) const {
  fail(ErrorCode::kInvalidModel, source_, ": damaged tar archive at byte ", position_, ": ", what,
       "; fetch or make the archive again");
}

void TarReader::push(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t taken = take(bytes);
    position_ += taken;
    bytes = bytes.subspan(taken);
  }
}

// Takes at least one byte.
std::size_t TarReader::take(std::span<const std::byte> bytes) {
  std::size_t taken = bytes.size();
  switch (state_) {
    case State::kHeader:
    case State::kSparse: taken = take_block(bytes); break;
    case State::kContent:
    case State::kExtended: taken = take_content(bytes); break;
    case State::kPadding:
      taken = static_cast<std::size_t>(std::min<std::uint64_t>(taken, padding_));
      padding_ -= taken;
      break;
    case State::kEnd:
      if (!all_zero(bytes)) refuse("something follows its end");
      break;
  }
  if ((state_ == State::kContent || state_ == State::kExtended) && left_ == 0) {
    if (state_ == State::kExtended) end_extended();
    sink_ = nullptr;
    state_ = State::kPadding;
  }
  if (state_ == State::kPadding && padding_ == 0) state_ = State::kHeader;
  return taken;
}

std::size_t TarReader::take_block(std::span<const std::byte> bytes) {
  const std::size_t taken = std::min(bytes.size(), kBlock - filled_);
  std::copy_n(bytes.begin(), taken, block_.begin() + static_cast<std::ptrdiff_t>(filled_));
  filled_ += taken;
  if (filled_ < kBlock) return taken;
  filled_ = 0;
  if (state_ == State::kHeader) {
    take_header();
  } else if (at(block_, kSparseBlockContinues) == 0) {
    state_ = State::kContent;
  }
  return taken;
}

std::size_t TarReader::take_content(std::span<const std::byte> bytes) {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
  left_ -= taken;
  if (state_ == State::kExtended) {
    extended_text_.append(reinterpret_cast<const char*>(bytes.data()), taken);
  } else if (sink_) {
    sink_(bytes.first(taken));
  }
  return taken;
}

std::uint64_t TarReader::number(std::size_t begin, std::size_t length, const char* field) const {
  const std::span<const std::byte> bytes = std::span(block_).subspan(begin, length);
  const auto value = at(bytes, 0) >= 0x80 ? base_256(bytes) : octal(bytes);
  if (!value) refuse("the " + std::string(field) + " of a member is no number");
  if (*value > kMaxSize) {
    refuse("the " + std::string(field) + " of a member is " + std::to_string(*value));
  }
  return *value;
}

std::string TarReader::text(std::size_t begin, std::size_t length) const {
  const char* first = reinterpret_cast<const char*>(block_.data()) + begin;
  return {first, std::find(first, first + length, '\0')};
}

void TarReader::take_header() {
  if (all_zero(block_)) {
    if (++zero_blocks_ == 2) state_ = State::kEnd;
    return;
  }
  if (!is_header(block_)) refuse("a header has a wrong checksum");
  if (zero_blocks_ != 0) refuse("a member follows a block of zeros");
  const char type = static_cast<char>(at(block_, kType));
  const std::uint64_t size = number(kSize, kNumberLength, "size");
  if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
    if (size > kMaxExtended) {
      refuse("an extended header has " + std::to_string(size) + " bytes, at most " +
             std::to_string(kMaxExtended) + " are accepted");
    }
    extended_type_ = type;
    extended_text_.clear();
    left_ = size;
    padding_ = (kBlock - size % kBlock) % kBlock;
    state_ = State::kExtended;
    return;
  }
  TarMember member{text(kName, kNameLength), size, type};
  const bool posix = text(kMagic, 6) == "ustar";  // GNU's magic has a space in place of the NUL
  if (posix && at(block_, kPrefix) != 0) {
    member.path = text(kPrefix, kPrefixLength) + "/" + member.path;
  }
  begin_member(std::move(member));
}

void TarReader::begin_member(TarMember member) {
  const bool sparse_header = member.type == 'S';
  if (next_.path || global_.path) member.path = next_.path ? *next_.path : *global_.path;
  if (next_.size || global_.size) member.size = next_.size ? *next_.size : *global_.size;
  if (next_.sparse || global_.sparse) member.type = 'S';
  next_ = {};
  if (is_file(member.type)) member.type = member.path.ends_with('/') ? '5' : '0';
  // Links have a size in some archives, and no content.
  const bool has_content = member.type < '1' || member.type > '6';
  if (!has_content) member.size = 0;
  padding_ = (kBlock - member.size % kBlock) % kBlock;
  sink_ = on_member_(member);
  left_ = member.size;
  const bool more_blocks = sparse_header && at(block_, kSparseContinues) != 0;
  state_ = more_blocks ? State::kSparse : State::kContent;
}

void TarReader::end_extended() {
  if (extended_type_ == 'L') {
    next_.path = extended_text_.substr(0, extended_text_.find('\0'));
  } else if (extended_type_ != 'K') {  // K: where a link leads
    read_pax(extended_text_, extended_type_ == 'g' ? global_ : next_);
  }
}

// Records "LENGTH KEY=VALUE\n", with the length of all of that.
void TarReader::read_pax(std::string_view records, Extended& into) const {
  while (!records.empty()) {
    std::size_t length = 0;
    const char* const end = records.data() + records.size();
    const auto [stop, error] = std::from_chars(records.data(), end, length);
    const auto head = static_cast<std::size_t>(stop - records.data()) + 1;
    if (error != std::errc() || length > records.size() || length <= head || *stop != ' ' ||
        records[length - 1] != '\n') {
      refuse("a record of an extended header has a wrong length");
    }
    const std::string_view record = records.substr(head, length - head - 1);
    const std::size_t equals = record.find('=');
    if (equals == record.npos) refuse("a record of an extended header has no '='");
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") {
      into.path = std::string(value);
    } else if (key == "size") {
      std::uint64_t size = 0;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), size);
      if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size() ||
          size > kMaxSize) {
        refuse("the size of an extended header is " + quote(value));
      }
      into.size = size;
    } else if (key.starts_with("GNU.sparse.")) {
      into.sparse = true;
    }
    records.remove_prefix(length);
  }
}

void TarReader::finish() {
  const bool complete = (state_ == State::kHeader && filled_ == 0) || state_ == State::kEnd;
  if (!complete) {
    fail(ErrorCode::kInvalidModel, source_, ": the tar archive ends too early, after ", position_,
         " bytes", left_ > 0 ? ", where " + std::to_string(left_) + " more are due" : "",
         "; fetch or make it again");
  }
}

}  // namespace lambert
