// Any bytes as the XML of a reply of S3: refused, or elements that can be walked through.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "net/xml.h"

namespace {

std::size_t walk(const lambert::XmlElement& element) {
  std::size_t bytes = element.name.size() + element.text.size();
  for (const lambert::XmlElement& child : element.children) bytes += walk(child);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const lambert::XmlElement root = lambert::parse_xml(text, "fuzz", lambert::ErrorCode::kIo);
    root.text_of("Code");
    return walk(root) == ~std::size_t{0} ? 1 : 0;
  } catch (const lambert::Error&) {
    return 0;
  }
}
