#include "base/flat.h"

#include <cstring>

namespace lambert {

void FlatWriter::u32(std::uint32_t value) {
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void FlatWriter::u64(std::uint64_t value) {
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void FlatWriter::put_array(std::span<const std::byte> items, std::size_t count) {
  u64(count);
  bytes_.resize((bytes_.size() + kFlatAlignment - 1) / kFlatAlignment * kFlatAlignment);
  bytes_.append(reinterpret_cast<const char*>(items.data()), items.size());
}

const std::byte* FlatReader::take(std::uint64_t size) {
  if (size > bytes_.size() - at_) refuse("ends too early, at byte ", bytes_.size());
  const std::byte* const begin = bytes_.data() + at_;
  at_ += static_cast<std::size_t>(size);
  return begin;
}

std::uint32_t FlatReader::u32() {
  std::uint32_t value = 0;
  std::memcpy(&value, take(sizeof value), sizeof value);
  return value;
}

std::uint64_t FlatReader::u64() {
  std::uint64_t value = 0;
  std::memcpy(&value, take(sizeof value), sizeof value);
  return value;
}

std::uint32_t FlatReader::u32(std::uint32_t least, std::uint32_t most, const char* name) {
  const std::uint32_t value = u32();
  if (value < least || value > most) {
    refuse(name, " is ", value, ", expected ", least, " to ", most);
  }
  return value;
}

std::span<const std::byte> FlatReader::take_array(std::size_t item) {
  const std::uint64_t count = u64();
  take((kFlatAlignment - at_ % kFlatAlignment) % kFlatAlignment);
  const std::uint64_t most = bytes_.size() / item;  // so that the product cannot overflow
  const std::byte* const begin = take(count > most ? bytes_.size() + 1 : count * item);
  return {begin, static_cast<std::size_t>(count) * item};
}

std::string_view FlatReader::text() {
  const std::span<const char> letters = array<char>();
  return {letters.data(), letters.size()};
}

}  // namespace lambert
