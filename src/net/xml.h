// The XML of AWS's replies: elements with text. Not XML in general.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lambert/lambert.h"

namespace lambert {

struct XmlElement {
  std::string name;
  std::string text;  // of the element itself, entities resolved
  std::vector<XmlElement> children;

  // The first child of that name; null when there is none.
  const XmlElement* child(std::string_view wanted) const;
  // Its text; "" when there is none.
  std::string_view text_of(std::string_view wanted) const;
};

// The root of a document. Attributes are read over. Throws `code`, with `source` and the byte, for
// what is not well-formed, and for what such replies do not have: a document type (and so no
// entities but the five of XML and character references), CDATA, more than 16 levels, 50,000
// elements or 8 MiB, bytes that are not UTF-8.
XmlElement parse_xml(std::string_view text, std::string_view source, ErrorCode code);

}  // namespace lambert
