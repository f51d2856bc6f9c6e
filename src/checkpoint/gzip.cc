#include "checkpoint/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "base/error.h"

namespace lambert {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;

}  // namespace

struct GzipDecoder::Inflater {
  Inflater() : output(kPiece) {
    constexpr int kGzipOnly = 16;  // header and trailer are read and checked by zlib
    if (::inflateInit2(&stream, MAX_WBITS + kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { ::inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
  std::vector<std::byte> output;
};

GzipDecoder::GzipDecoder(std::string source, ByteSink sink)
    : source_(std::move(source)), sink_(std::move(sink)), inflater_(std::make_unique<Inflater>()) {}

GzipDecoder::~GzipDecoder() = default;
GzipDecoder::GzipDecoder(GzipDecoder&&) noexcept = default;

void GzipDecoder::refuse(const char* what) const {
  fail(ErrorCode::kInvalidModel, source_, ": damaged gzip data behind byte ", bytes_in_, ": ", what,
       "; fetch or make the file again");
}

void GzipDecoder::begin_member() {
  ::inflateReset(&inflater_->stream);
  place_ = Place::kInMember;
  ++members_;
}

void GzipDecoder::inflate_some(std::span<const std::byte>& bytes) {
  z_stream& stream = inflater_->stream;
  const std::size_t most = std::min<std::size_t>(bytes.size(), std::numeric_limits<uInt>::max());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(most);
  stream.next_out = reinterpret_cast<Bytef*>(inflater_->output.data());
  stream.avail_out = static_cast<uInt>(kPiece);
  const int result = ::inflate(&stream, Z_NO_FLUSH);
  const std::size_t used = most - stream.avail_in, made = kPiece - stream.avail_out;
  bytes_in_ += used;
  bytes_out_ += made;
  bytes = bytes.subspan(used);
  if (made > 0) sink_(std::span(inflater_->output).first(made));
  if (result == Z_STREAM_END) {
    place_ = Place::kBeforeMember;
  } else if (result == Z_MEM_ERROR) {
    throw std::bad_alloc();
  } else if (result != Z_OK && result != Z_BUF_ERROR) {  // the latter: more input is needed
    refuse(stream.msg != nullptr ? stream.msg : "not gzip");
  }
}

void GzipDecoder::push(std::span<const std::byte> bytes) {
  // A call may leave output behind that it had no room for: as long as it fills a whole piece,
  // there may be more without more input.
  bool more = false;
  while (!bytes.empty() || more) {
    more = false;
    if (place_ == Place::kBeforeMember) {
      if (members_ > 0 && bytes.front() == std::byte{0}) {
        place_ = Place::kPadding;
      } else if (members_ > 0 && bytes.front() != std::byte{0x1F}) {
        refuse("what follows its end is not gzip");
      } else {
        begin_member();
      }
    }
    if (place_ == Place::kPadding) {
      const auto odd = std::find_if(bytes.begin(), bytes.end(),
                                    [](std::byte byte) { return byte != std::byte{0}; });
      bytes_in_ += static_cast<std::uint64_t>(odd - bytes.begin());
      if (odd != bytes.end()) refuse("zeros follow its end, and then something else");
      return;
    }
    const std::uint64_t before = bytes_out_;
    inflate_some(bytes);
    more = place_ == Place::kInMember && bytes_out_ - before == kPiece;
  }
}

void GzipDecoder::finish() {
  if (place_ == Place::kInMember || members_ == 0) {
    fail(ErrorCode::kInvalidModel, source_, ": the gzip data end too early, after ", bytes_in_,
         " bytes, from which ", bytes_out_, " were decompressed; fetch or make the file again");
  }
}

}  // namespace lambert
