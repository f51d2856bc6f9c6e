#include "checkpoint/bundle_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <tuple>

#include "base/error.h"
#include "base/flat.h"
#include "base/partial_file.h"
#include "checkpoint/bundle.h"

namespace lambert {

namespace {

constexpr std::uint64_t kPagedFrom = 64 << 10;  // smaller ones would be mostly padding
constexpr std::size_t kWriteBuffer = 256 << 10;

class MemoryOutput : public BundleOutput {
 public:
  explicit MemoryOutput(std::string* memory) : memory_(*memory) { memory_.clear(); }
  void append(std::span<const std::byte> bytes) override {
    memory_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void finish(std::span<const std::byte> header, std::uint64_t) override {
    std::memcpy(memory_.data(), header.data(), header.size());
  }

 private:
  std::string& memory_;
};

// A file that has its name only when it is complete.
class FileOutput : public BundleOutput {
 public:
  explicit FileOutput(const std::string& path) : path_(target(path)) {
    fd_ = open_partial(partial_, O_WRONLY | O_NOFOLLOW);
    if (::ftruncate(fd_, 0) != 0) {
      const int number = errno;
      ::close(fd_);
      errno = number;
      fail_errno(partial_, "cannot be emptied");
    }
    buffer_.reserve(kWriteBuffer);
  }
  ~FileOutput() override {
    if (!finished_) ::unlink(partial_.c_str());  // before the lock goes with the descriptor
    ::close(fd_);
  }
  FileOutput(const FileOutput&) = delete;
  FileOutput& operator=(const FileOutput&) = delete;

  void append(std::span<const std::byte> bytes) override {
    if (buffer_.size() + bytes.size() > kWriteBuffer) flush();
    if (bytes.size() >= kWriteBuffer) return write_all_at(bytes);
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }

  void finish(std::span<const std::byte> header, std::uint64_t file_bytes) override {
    flush();
    if (file_bytes != written_) {
      fail(ErrorCode::kInternal, partial_, ": has ", written_, " bytes, expected ", file_bytes);
    }
    written_ = 0;
    write_all_at(header);
    finish_partial(fd_, partial_, path_);
    finished_ = true;  // what bears the name of the partial from now on is another's
  }

 private:
  // Where symbolic links lead, so that they stay; throws for what a rename would do harm to.
  static std::string target(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return path;
    if (!S_ISREG(status.st_mode)) {
      fail(ErrorCode::kIo, path, ": is ", S_ISDIR(status.st_mode) ? "a directory" : "not a file",
           ", expected a regular file or a new name");
    }
    std::error_code error;
    const std::filesystem::path real = std::filesystem::canonical(path, error);
    return error ? path : real.string();
  }

  void flush() {
    write_all_at(buffer_);
    buffer_.clear();
  }
  void write_all_at(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(written_));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail_errno(partial_, "cannot be written");
      written_ += static_cast<std::uint64_t>(put);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
  }

  const std::string path_, partial_ = path_ + ".partial";
  int fd_ = -1;
  bool finished_ = false;
  std::uint64_t written_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace

BundleWriter::BundleWriter(const std::string& path, std::size_t sections)
    : BundleWriter(std::make_unique<FileOutput>(path), sections) {}

BundleWriter::BundleWriter(std::string* memory, std::size_t sections)
    : BundleWriter(std::make_unique<MemoryOutput>(memory), sections) {}

BundleWriter::BundleWriter(std::unique_ptr<BundleOutput> output, std::size_t sections)
    : output_(std::move(output)), announced_(sections) {
  if (sections > kMaxBundleSections) {
    fail(ErrorCode::kLimitExceeded, "a packed model of ", sections, " sections, at most ",
         kMaxBundleSections, " are possible");
  }
  put_zeros(kBundleHeaderBytes + sections * kBundleEntryBytes);
}

// A call that throws leaves nothing that finish() could make a file of.
void BundleWriter::put(std::span<const std::byte> bytes) {
  if (!output_) fail(ErrorCode::kInternal, "a bundle that is finished or failed is written to");
  std::unique_ptr<BundleOutput> output = std::move(output_);
  output->append(bytes);
  position_ += bytes.size();
  output_ = std::move(output);
}

void BundleWriter::put_zeros(std::uint64_t count) {
  static constexpr std::byte kZeros[256] = {};
  for (; count > sizeof kZeros; count -= sizeof kZeros) put(kZeros);
  put(std::span(kZeros).first(static_cast<std::size_t>(count)));
}

void BundleWriter::end_section() {
  if (!open_) return;
  open_ = false;
  Entry& entry = entries_.back();
  entry.size = position_ - entry.offset;
  entry.checksum = crc_.value();
  if (entry.size != size_.value_or(entry.size)) {
    output_.reset();
    fail(ErrorCode::kInternal, section_name(entry.kind, entry.index), " has ", entry.size,
         " bytes, but ", *size_, " were announced");
  }
}

void BundleWriter::begin(std::uint32_t kind, std::uint32_t index,
                         std::optional<std::uint64_t> size) {
  end_section();
  if (!keys_.emplace(kind, index).second || entries_.size() == announced_) {
    output_.reset();
    fail(ErrorCode::kInternal, section_name(kind, index),
         entries_.size() == announced_ ? " is one more than announced" : " is written twice");
  }
  const std::uint64_t step =
      size.value_or(kPagedFrom) < kPagedFrom ? kBundleAlignment : kBundlePage;
  put_zeros((step - position_ % step) % step);
  entries_.push_back({kind, index, position_, 0, 0});
  size_ = size;
  crc_ = {};
  open_ = true;
}

void BundleWriter::append(std::span<const std::byte> bytes) {
  if (!open_) fail(ErrorCode::kInternal, "bytes of no section are written to a bundle");
  put(bytes);
  crc_.update(bytes);
}

void BundleWriter::add(std::uint32_t kind, std::uint32_t index, std::span<const std::byte> bytes) {
  begin(kind, index, bytes.size());
  append(bytes);
  end_section();
}

std::string BundleWriter::make_header() const {
  std::vector<Entry> sorted = entries_;
  std::sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.kind, a.index) < std::tie(b.kind, b.index);
  });
  FlatWriter header;
  std::uint64_t magic = 0;
  std::memcpy(&magic, kBundleMagic, kBundleMagicBytes);
  header.u64(magic);
  header.u32(kBundleByteOrder);
  header.u32(0);  // the checksum, below
  header.u32(static_cast<std::uint32_t>(kBundleHeaderBytes + sorted.size() * kBundleEntryBytes));
  header.u32(kBundleFormat);
  header.u32(kBundleFormat);  // a reader of it
  header.u32(static_cast<std::uint32_t>(sorted.size()));
  header.u64(position_);
  for (int i = 0; i < 3; ++i) header.u64(0);
  for (const Entry& entry : sorted) {
    header.u32(entry.kind);
    header.u32(entry.index);
    header.u64(entry.offset);
    header.u64(entry.size);
    header.u32(entry.checksum);
    header.u32(0);
  }
  std::string out = header.take();
  const std::uint32_t checksum = bundle_header_checksum(std::as_bytes(std::span(out)));
  std::memcpy(out.data() + kBundleChecksumAt, &checksum, sizeof checksum);
  return out;
}

void BundleWriter::finish() {
  end_section();
  if (!output_) fail(ErrorCode::kInternal, "a bundle that is finished or failed is finished");
  const std::unique_ptr<BundleOutput> output = std::move(output_);
  if (entries_.size() != announced_) {
    fail(ErrorCode::kInternal, "a bundle of ", entries_.size(), " sections, but ", announced_,
         " were announced");
  }
  const std::string beginning = make_header();
  output->finish(std::as_bytes(std::span(beginning)), position_);
}

}  // namespace lambert
