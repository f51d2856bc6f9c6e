// Numbers of a model, which do not change once they are there.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "base/aligned_buffer.h"

namespace lambert {

// Owns its numbers, or is a view of them where a file is mapped, whose owner keeps it open.
template <typename T>
class WeightArray {
 public:
  WeightArray() = default;
  explicit WeightArray(AlignedBuffer<T> own) : own_(std::move(own)), numbers_(own_.span()) {}
  explicit WeightArray(std::span<const T> elsewhere) : numbers_(elsewhere) {}

  const T* data() const { return numbers_.data(); }
  std::size_t size() const { return numbers_.size(); }
  const T& operator[](std::size_t i) const { return numbers_[i]; }
  std::span<const T> span() const { return numbers_; }
  T* writable() { return own_.data(); }  // null for a view

 private:
  AlignedBuffer<T> own_;
  std::span<const T> numbers_;
};

}  // namespace lambert
