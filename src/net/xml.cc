#include "net/xml.h"

#include <charconv>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "net/ascii.h"

namespace lambert {

namespace {

constexpr std::size_t kMaxXmlBytes = std::size_t{8} << 20;
constexpr std::size_t kMaxXmlElements = 50'000;
constexpr int kMaxXmlDepth = 16;

class XmlParser {
 public:
  XmlParser(std::string_view text, std::string_view source, ErrorCode code)
      : text_(text), source_(source), code_(code) {}

  XmlElement document() {
    take("\xEF\xBB\xBF");
    if (text_.substr(at_).starts_with("<?xml")) skip_past("?>");
    skip_between();
    XmlElement root = element(0);
    skip_between();
    if (at_ != text_.size()) refuse("more text after the root element");
    return root;
  }

 private:
  template <typename... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(code_, source_, ": not the XML that was expected, at byte ", at_, ": ", parts...);
  }

  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  void skip_past(std::string_view token) {
    const std::size_t end = text_.find(token, at_);
    if (end == std::string_view::npos) refuse("no \"", token, "\" follows");
    at_ = end + token.size();
  }

  void skip_blanks() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    }
  }

  // Blanks and comments.
  void skip_between() {
    skip_blanks();
    while (take("<!--")) {
      skip_past("-->");
      skip_blanks();
    }
  }

  std::string name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           (is_ascii_alphanumeric(text_[at_]) ||
            std::string_view("_-.:").find(text_[at_]) != std::string_view::npos ||
            static_cast<unsigned char>(text_[at_]) >= 0x80)) {
      ++at_;
    }
    if (at_ == begin || is_ascii_digit(text_[begin])) refuse("a name was expected");
    return std::string(text_.substr(begin, at_ - begin));
  }

  // Of an open tag, behind its name. Whether the element ends there.
  bool rest_of_tag() {
    for (;;) {
      skip_blanks();
      if (take(">")) return false;
      if (take("/>")) return true;
      name();
      skip_blanks();
      if (!take("=")) refuse("an attribute without a value");
      skip_blanks();
      if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) {
        refuse("an attribute's value without quotes");
      }
      const char mark = text_[at_++];
      skip_past(std::string_view(&mark, 1));
    }
  }

  XmlElement element(int depth) {
    if (depth == kMaxXmlDepth) refuse("more than ", kMaxXmlDepth, " levels");
    if (++elements_ > kMaxXmlElements) refuse("more than ", kMaxXmlElements, " elements");
    if (!take("<")) refuse("an element was expected");
    XmlElement out;
    out.name = name();
    if (rest_of_tag()) return out;
    for (;;) {
      if (at_ == text_.size()) refuse("<", quote(out.name), "> is not closed");
      if (take("<!--")) {
        skip_past("-->");
      } else if (take("</")) {
        if (name() != out.name) refuse("<", quote(out.name), "> is closed by another tag");
        skip_blanks();
        if (!take(">")) refuse("a tag that does not end");
        return out;
      } else if (text_[at_] == '<') {
        out.children.push_back(element(depth + 1));
      } else if (text_[at_] == '&') {
        reference(out.text);
      } else {
        const std::size_t end = std::min(text_.find_first_of("<&", at_), text_.size());
        out.text.append(text_, at_, end - at_);
        at_ = end;
      }
    }
  }

  void reference(std::string& out) {
    static constexpr std::pair<std::string_view, char> kEntities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (const auto& [entity, character] : kEntities) {
      if (!take(entity)) continue;
      out += character;
      return;
    }
    if (!take("&#")) refuse("an entity that XML does not define");
    const int base = take("x") ? 16 : 10;
    std::uint32_t code = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), code, base);
    at_ += static_cast<std::size_t>(end - begin);
    const bool scalar = code > 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    if (error != std::errc() || !scalar || !take(";")) refuse("a character reference that is none");
    append_utf8(static_cast<char32_t>(code), out);
  }

  std::string_view text_, source_;
  ErrorCode code_;
  std::size_t at_ = 0;
  std::size_t elements_ = 0;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const {
  for (const XmlElement& element : children) {
    if (element.name == wanted) return &element;
  }
  return nullptr;
}

std::string_view XmlElement::text_of(std::string_view wanted) const {
  const XmlElement* element = child(wanted);
  return element != nullptr ? std::string_view(element->text) : std::string_view();
}

XmlElement parse_xml(std::string_view text, std::string_view source, ErrorCode code) {
  if (text.size() > kMaxXmlBytes) {
    fail(ErrorCode::kLimitExceeded, source, ": XML of ", text.size(), " bytes, at most ",
         kMaxXmlBytes, " are accepted");
  }
  if (const auto bad = check_utf8(text).error_byte) {
    fail(code, source, ": not valid UTF-8 at byte ", *bad);
  }
  return XmlParser(text, source, code).document();
}

}  // namespace lambert
