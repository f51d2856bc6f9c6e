// Numbers, texts and arrays one behind another, to be used where they lie: little-endian, numbers of
// 4 or 8 bytes, arrays behind their length and aligned.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
  void u32(std::uint32_t value) { put(&value, sizeof value); }
  void u64(std::uint64_t value) { put(&value, sizeof value); }
  template <typename T>
  void array(std::span<const T> items) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= kFlatAlignment);
    u64(items.size());
    bytes_.resize((bytes_.size() + kFlatAlignment - 1) / kFlatAlignment * kFlatAlignment);
    put(items.data(), items.size_bytes());
  }
  void text(std::string_view text) { array(std::span(text)); }

  std::string take() { return std::move(bytes_); }

 private:
  void put(const void* from, std::size_t size) {
    bytes_.append(static_cast<const char*>(from), size);
  }
  std::string bytes_;
};

// Reads what a FlatWriter wrote, whatever the bytes: each call throws kInvalidModel where they end
// too early. Arrays and texts are views. `source` names the bytes in messages; both must outlive
// this, and be aligned to kFlatAlignment.
class FlatReader {
 public:
  FlatReader(std::span<const std::byte> bytes, std::string_view source)
      : bytes_(bytes), source_(source) {}

  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::uint64_t u64() { return number<std::uint64_t>(); }
  // At most `most`, else `what` is refused.
  std::uint64_t u64(std::uint64_t most, const char* what) {
    const std::uint64_t value = u64();
    if (value > most) refuse(what, " is ", value, ", expected at most ", most);
    return value;
  }
  template <typename T>
  std::span<const T> array() {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= kFlatAlignment);
    const std::uint64_t size = u64();
    take((kFlatAlignment - at_ % kFlatAlignment) % kFlatAlignment);
    if (size > (bytes_.size() - at_) / sizeof(T)) end_too_early();
    const std::byte* from = take(static_cast<std::size_t>(size) * sizeof(T));
    return {reinterpret_cast<const T*>(from), static_cast<std::size_t>(size)};
  }
  std::string_view text() {
    const auto letters = array<char>();
    return {letters.data(), letters.size()};
  }

  template <typename... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(ErrorCode::kInvalidModel, source_, ": ", parts..., "; pack the model anew");
  }

 private:
  [[noreturn]] void end_too_early() const { refuse("ends too early, at byte ", bytes_.size()); }
  const std::byte* take(std::size_t size) {
    if (size > bytes_.size() - at_) end_too_early();
    at_ += size;
    return bytes_.data() + at_ - size;
  }
  template <typename T>
  T number() {
    T value = 0;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }

  std::span<const std::byte> bytes_;
  std::string_view source_;
  std::size_t at_ = 0;
};

}  // namespace lambert
