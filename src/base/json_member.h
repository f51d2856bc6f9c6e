// Members of an event's objects, where one of another kind counts as absent.
#pragma once

#include <string_view>

#include "base/json.h"

namespace lambert {

inline const boost::json::object* object_at(const boost::json::object& object,
                                            std::string_view name) {
  const boost::json::value* value = object.if_contains(name);
  return value != nullptr ? value->if_object() : nullptr;
}

inline std::string_view string_at(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = object.if_contains(name);
  const boost::json::string* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

}  // namespace lambert
