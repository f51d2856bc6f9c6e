// gzip (RFC 1952), decompressed as it arrives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/byte_sink.h"

namespace lambert {

// Any number of members one after another, then nothing or zeros. Checks each member's CRC-32 and
// size. For one thread.
class GzipDecoder {
 public:
  // `source` names the file in messages; `sink` gets the content in pieces of up to 256 KiB.
  GzipDecoder(std::string source, ByteSink sink);
  ~GzipDecoder();
  GzipDecoder(GzipDecoder&&) noexcept;

  // The next bytes of the file. Throws kInvalidModel, and what the sink throws; after that the
  // decoder is of no more use.
  void push(std::span<const std::byte> bytes);
  // There are no more. Throws kInvalidModel where the last member is not complete.
  void finish();

  std::uint64_t bytes_in() const { return bytes_in_; }
  std::uint64_t bytes_out() const { return bytes_out_; }

 private:
  struct Inflater;
  enum class Place { kBeforeMember, kInMember, kPadding };

  void inflate_some(std::span<const std::byte>& bytes);
  void begin_member();
  [[noreturn]] void refuse(const char* what) const;

  std::string source_;
  ByteSink sink_;
  std::unique_ptr<Inflater> inflater_;
  Place place_ = Place::kBeforeMember;
  std::uint64_t members_ = 0, bytes_in_ = 0, bytes_out_ = 0;
};

}  // namespace lambert
