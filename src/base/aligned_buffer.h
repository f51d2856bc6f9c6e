// An array of trivial elements, 64-byte aligned, owned, of fixed size.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace lambert {

inline constexpr std::size_t kAlignment = 64;  // a cache line, and an AVX-512 register
inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

enum class Pages {
  kUsual,
  // Huge ones where they fit and the kernel has some: one page fault instead of 512, and memory
  // that streams by misses the TLB less. For arrays that are written whole, as all of a page is
  // taken.
  kHuge,
};

template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivial_v<T>);

 public:
  AlignedBuffer() = default;
  // The elements are not initialised. Throws std::bad_alloc.
  explicit AlignedBuffer(std::size_t size, Pages pages = Pages::kUsual) : size_(size) {
    if (size == 0) return;
    if (size > (static_cast<std::size_t>(-1) - kHugePage) / sizeof(T)) throw std::bad_alloc();
    std::size_t bytes = round_up(size * sizeof(T), kAlignment);
    const std::size_t whole_pages = round_up(bytes, kHugePage);
    const bool fits = whole_pages - bytes <= bytes / 4;  // so the last page may be a huge one, too
    const bool huge = pages == Pages::kHuge && (fits || bytes >= kHugePage);
    if (huge && fits) bytes = whole_pages;
    void* data = nullptr;
    if (::posix_memalign(&data, huge ? kHugePage : kAlignment, bytes) != 0) throw std::bad_alloc();
    data_.reset(static_cast<T*>(data));
    if (huge) ::madvise(data_.get(), bytes, MADV_HUGEPAGE);  // only advice: it may fail
  }

  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }
  std::span<T> span() { return {data(), size_}; }
  std::span<const T> span() const { return {data(), size_}; }

 private:
  static constexpr std::size_t round_up(std::size_t n, std::size_t unit) {
    return (n + unit - 1) / unit * unit;
  }

  struct Free {
    void operator()(T* pointer) const { std::free(pointer); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace lambert
