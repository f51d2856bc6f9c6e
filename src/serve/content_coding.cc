#include "serve/content_coding.h"

#include <zlib.h>

#include <algorithm>
#include <new>
#include <stdexcept>

#include "net/ascii.h"
#include "serve/request_error.h"

namespace lambert {

namespace {

constexpr int kGzip = MAX_WBITS + 16;

z_stream stream_over(std::string_view bytes) {
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  return stream;
}

struct Inflater {
  explicit Inflater(std::string_view bytes) : stream(stream_over(bytes)) {
    if (inflateInit2(&stream, kGzip) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
  z_stream stream;
};

struct Deflater {
  explicit Deflater(std::string_view bytes) : stream(stream_over(bytes)) {
    constexpr int kFast = 1, kMemory = 8;
    if (deflateInit2(&stream, kFast, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Deflater() { deflateEnd(&stream); }
  z_stream stream;
};

}  // namespace

std::size_t gunzipped_size(std::string_view bytes) {
  constexpr std::size_t kSize = 4;  // its last bytes, the lowest first (RFC 1952, 2.3.1)
  std::size_t size = 0;
  for (std::size_t i = 0; i < std::min(kSize, bytes.size()); ++i) {
    size = size << 8 | static_cast<unsigned char>(bytes[bytes.size() - 1 - i]);
  }
  return size;
}

std::string gunzip(std::string_view bytes, std::size_t max_bytes) {
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  const std::size_t size = gunzipped_size(bytes);
  Inflater inflater(bytes);
  std::string out;
  out.reserve(std::min(size, max_bytes) + kPiece);
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t had = out.size();
    out.resize(had + kPiece);
    inflater.stream.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    inflater.stream.avail_out = static_cast<uInt>(kPiece);
    status = inflate(&inflater.stream, Z_NO_FLUSH);
    out.resize(out.size() - inflater.stream.avail_out);
    if (out.size() > max_bytes) {
      throw RequestError(
          ErrorCode::kLimitExceeded, 413, "",
          "body: has more than " + std::to_string(max_bytes) + " bytes when it is uncompressed");
    }
    if (out.size() > size) break;
  }
  if (status != Z_STREAM_END || inflater.stream.avail_in != 0) {
    throw RequestError(ErrorCode::kInvalidInput, 400, "",
                       "body: is not valid gzip, which its Content-Encoding says it is");
  }
  return out;
}

std::string gzip(std::string_view bytes) {
  Deflater deflater(bytes);
  std::string out(deflateBound(&deflater.stream, static_cast<uLong>(bytes.size())), '\0');
  deflater.stream.next_out = reinterpret_cast<Bytef*>(out.data());
  deflater.stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&deflater.stream, Z_FINISH) != Z_STREAM_END) {
    throw std::logic_error("deflateBound was too small");
  }
  out.resize(deflater.stream.total_out);
  return out;
}

bool accepts_gzip(std::string_view accept_encoding) {
  const std::string text = ascii_lower(accept_encoding);
  bool accepted = false;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view item = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    const std::size_t parameters = std::min(item.find(';'), item.size());
    const std::string_view name = ascii_trim(item.substr(0, parameters));
    if (name != "gzip" && name != "*") continue;
    std::string quality(item.substr(parameters));
    quality.erase(std::remove(quality.begin(), quality.end(), ' '), quality.end());
    const bool refused =
        quality.starts_with(";q=0") && quality.find_first_of("123456789") == std::string::npos;
    if (name == "gzip") return !refused;
    accepted = !refused;
  }
  return accepted;
}

}  // namespace lambert
