// Text that must not be shown: keys, tokens, passwords.
#pragma once

#include <string.h>

#include <string>
#include <string_view>
#include <utility>

namespace lambert {

// Owns the text and wipes it when it goes. There is no operator<<, and none may be added: whoever
// needs the text says so with reveal().
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(const Secret& other) {
    if (this != &other) *this = Secret(other);
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    wipe();
    text_ = std::move(other.text_);
    other.wipe();
    return *this;
  }
  ~Secret() { wipe(); }

  bool empty() const { return text_.empty(); }
  std::string_view reveal() const { return text_; }

 private:
  void wipe() noexcept {
    ::explicit_bzero(text_.data(), text_.capacity());
    text_.clear();
  }

  std::string text_;
};

}  // namespace lambert
