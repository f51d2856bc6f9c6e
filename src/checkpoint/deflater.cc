#include "checkpoint/deflater.h"

#include <zlib.h>

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

namespace lambert {

namespace {

constexpr std::size_t kDeflatePiece = std::size_t{256} << 10;
constexpr std::size_t kMostInput = std::size_t{1} << 30;  // of one call of zlib

}  // namespace

struct Deflater::Stream {
  explicit Stream(int level) : output(kDeflatePiece) {
    constexpr int kMemoryLevel = 8;
    if (::deflateInit2(&zlib, level, Z_DEFLATED, -MAX_WBITS, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Stream() { ::deflateEnd(&zlib); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  z_stream zlib{};
  std::vector<std::byte> output;
};

Deflater::Deflater(int level, ByteSink sink)
    : sink_(std::move(sink)), stream_(std::make_unique<Stream>(level)) {}

Deflater::~Deflater() = default;

void Deflater::push(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), kMostInput);
    deflate(bytes.first(n), false);
    bytes = bytes.subspan(n);
  }
}

void Deflater::finish() {
  deflate({}, true);
}

void Deflater::deflate(std::span<const std::byte> bytes, bool last) {
  z_stream& zlib = stream_->zlib;
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  zlib.avail_in = static_cast<uInt>(bytes.size());
  do {
    zlib.next_out = reinterpret_cast<Bytef*>(stream_->output.data());
    zlib.avail_out = static_cast<uInt>(kDeflatePiece);
    ::deflate(&zlib, last ? Z_FINISH : Z_NO_FLUSH);
    const std::size_t made = kDeflatePiece - zlib.avail_out;
    if (made > 0) sink_(std::span(stream_->output).first(made));
  } while (zlib.avail_out == 0);
}

std::uint32_t crc32_of(std::uint32_t crc, std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace lambert
