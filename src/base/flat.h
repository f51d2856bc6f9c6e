// Numbers, texts and arrays one behind another, to be used where they lie: little-endian, numbers
// of 4 or 8 bytes, arrays behind their length and aligned.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace lambert {

static_assert(std::endian::native == std::endian::little, "arrays are used as they lie");

inline constexpr std::size_t kFlatAlignment = 8;

class FlatWriter {
 public:
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  template <typename T>
  void array(std::span<const T> items) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= kFlatAlignment);
    put_array(std::as_bytes(items), items.size());
  }
  void text(std::string_view text) { array(std::span(text)); }

  std::string take() { return std::move(bytes_); }

 private:
  void put_array(std::span<const std::byte> items, std::size_t count);
  std::string bytes_;
};

// Reads what a FlatWriter wrote, whatever the bytes: each call throws kInvalidModel where they end
// too early. Arrays and texts are views. `source` names the bytes in messages; both must outlive
// this, and the bytes must be aligned to kFlatAlignment.
class FlatReader {
 public:
  FlatReader(std::span<const std::byte> bytes, std::string_view source)
      : bytes_(bytes), source_(source) {}

  std::uint32_t u32();
  std::uint64_t u64();
  // A number from `least` to `most`; refuses another, naming it.
  std::uint32_t u32(std::uint32_t least, std::uint32_t most, const char* name);
  template <typename T>
  std::span<const T> array() {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= kFlatAlignment);
    const std::span<const std::byte> items = take_array(sizeof(T));
    return {reinterpret_cast<const T*>(items.data()), items.size() / sizeof(T)};
  }
  std::string_view text();

  std::string_view source() const { return source_; }
  // Throws kInvalidModel.
  template <typename... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(ErrorCode::kInvalidModel, source_, ": ", parts..., "; pack the model anew");
  }

 private:
  const std::byte* take(std::uint64_t size);
  std::span<const std::byte> take_array(std::size_t item);

  std::span<const std::byte> bytes_;
  std::string_view source_;
  std::size_t at_ = 0;
};

}  // namespace lambert
