#include "checkpoint/safetensors.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/json.h"

namespace lambert {

namespace json = boost::json;

namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 25'000'000;  // as huggingface_hub; the library has 1e8
constexpr std::size_t kMaxTensors = 10'000;
constexpr std::size_t kMaxHeaderValues = 500'000;  // 10,000 tensors of 8 dimensions have 140,000
constexpr std::size_t kMaxNameBytes = 512;
constexpr std::size_t kMaxRank = 8;

// What the header says of one tensor; begin and end are bytes after the header.
struct Entry {
  std::string_view name;
  DType dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin, end;
};

std::uint64_t read_u64(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return value;
}

template <typename... Parts>
[[noreturn]] void invalid(const Parts&... parts) {
  fail(ErrorCode::kInvalidModel, parts...);
}

std::string_view header_text(std::span<const std::byte> file, std::string_view source) {
  if (file.size() < kLengthBytes) {
    invalid(source, ": has ", file.size(), " bytes, a safetensors file has at least 8");
  }
  const std::uint64_t length = read_u64(file);
  if (length > kMaxHeaderBytes) {
    invalid(source, ": not a safetensors file, or damaged: the header would have ", length,
            " bytes, at most ", kMaxHeaderBytes, " are accepted");
  }
  if (length > file.size() - kLengthBytes) {
    invalid(source, ": the header has ", length, " bytes, but only ", file.size() - kLengthBytes,
            " follow; the file is cut off, download it again");
  }
  const auto header = file.subspan(kLengthBytes, static_cast<std::size_t>(length));
  if (header.empty() || header[0] != std::byte{'{'}) {
    invalid(source, ": the header does not begin with '{'; not a safetensors file, or damaged");
  }
  return {reinterpret_cast<const char*>(header.data()), header.size()};
}

const json::value& member(const json::object& object, std::string_view key, std::string_view source,
                          std::string_view name) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) invalid(source, ": tensor ", quote(name), " has no \"", key, '"');
  return *value;
}

std::uint64_t non_negative(const json::value& value, std::string_view field,
                           std::string_view source, std::string_view name) {
  if (const auto* number = value.if_int64(); number != nullptr && *number >= 0) {
    return static_cast<std::uint64_t>(*number);
  }
  if (const auto* number = value.if_uint64()) return *number;
  invalid(source, ": tensor ", quote(name), ": ", field, " holds ", quote(json::serialize(value)),
          ", expected a non-negative integer");
}

DType parse_dtype(const json::value& value, std::string_view source, std::string_view name) {
  const json::string* text = value.if_string();
  if (text == nullptr) invalid(source, ": tensor ", quote(name), ": dtype is not a string");
  const std::string_view found = *text;
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kI64}) {
    if (found == dtype_name(dtype)) return dtype;
  }
  for (const std::string_view other :
       {"BOOL", "U8", "I8", "I16", "U16", "I32", "U32", "F64", "U64", "C64", "F8_E5M2", "F8_E4M3",
        "F8_E8M0", "F8_E5M2FNUZ", "F8_E4M3FNUZ", "F6_E2M3", "F6_E3M2", "F4"}) {
    if (found == other) {
      fail(ErrorCode::kUnsupportedModel, source, ": tensor ", quote(name), " has dtype ", found,
           "; supported: F32, F16, BF16 (and I64 for position ids)");
    }
  }
  invalid(source, ": tensor ", quote(name), ": unknown dtype ", quote(found));
}

std::vector<std::uint64_t> parse_integers(const json::value& value, std::string_view field,
                                          std::string_view source, std::string_view name) {
  const json::array* array = value.if_array();
  if (array == nullptr) invalid(source, ": tensor ", quote(name), ": ", field, " is not an array");
  if (array->size() > kMaxRank) {
    invalid(source, ": tensor ", quote(name), ": ", field, " has ", array->size(),
            " elements, at most ", kMaxRank, " are accepted");
  }
  std::vector<std::uint64_t> integers;
  integers.reserve(array->size());
  for (const json::value& element : *array) {
    integers.push_back(non_negative(element, field, source, name));
  }
  return integers;
}

// The bytes of shape and dtype must be end - begin.
void check_size(const Entry& entry, std::string_view source) {
  std::uint64_t bytes = 1;
  bool overflow = false;
  for (const std::uint64_t extent : entry.shape) {
    overflow = overflow || __builtin_mul_overflow(bytes, extent, &bytes);
  }
  overflow = overflow || __builtin_mul_overflow(bytes, item_size(entry.dtype), &bytes);
  if (overflow) {
    invalid(source, ": tensor ", quote(entry.name), ": the size of its shape overflows 64 bits");
  }
  if (entry.end < entry.begin || bytes != entry.end - entry.begin) {
    invalid(source, ": tensor ", quote(entry.name), " needs ", bytes,
            " bytes by shape and dtype, but its data_offsets are [", entry.begin, ", ", entry.end,
            "]");
  }
}

Entry parse_entry(std::string_view name, const json::value& value, std::string_view source) {
  if (name.size() > kMaxNameBytes) {
    invalid(source, ": the tensor name ", quote(name), " has ", name.size(), " bytes, at most ",
            kMaxNameBytes, " are accepted");
  }
  const json::object* object = value.if_object();
  if (object == nullptr) invalid(source, ": tensor ", quote(name), " is not a JSON object");
  Entry entry{name, parse_dtype(member(*object, "dtype", source, name), source, name),
              parse_integers(member(*object, "shape", source, name), "shape", source, name), 0, 0};
  const auto offsets =
      parse_integers(member(*object, "data_offsets", source, name), "data_offsets", source, name);
  if (offsets.size() != 2) {
    invalid(source, ": tensor ", quote(name), ": data_offsets has ", offsets.size(),
            " elements, expected 2");
  }
  entry.begin = offsets[0];
  entry.end = offsets[1];
  check_size(entry, source);
  return entry;
}

void check_metadata(const json::value& value, std::string_view source) {
  const json::object* object = value.if_object();
  if (object == nullptr) invalid(source, ": __metadata__ is not a JSON object");
  for (const auto& pair : *object) {
    if (!pair.value().is_string()) {
      invalid(source, ": __metadata__ ", quote(pair.key()), " is not a string");
    }
  }
}

// Sorts by place; each tensor must begin where the one before it ends, the last at the file's end.
void check_layout(std::vector<Entry>& entries, std::uint64_t data_bytes, std::string_view source) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t expected = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != expected) {
      invalid(source, ": tensor ", quote(entry.name), " begins at byte ", entry.begin,
              " of the data, expected ", expected, " (",
              entry.begin < expected ? "it overlaps another tensor" : "there is a hole before it",
              ")");
    }
    expected = entry.end;
  }
  if (expected != data_bytes) {
    invalid(source, ": the tensors end at byte ", expected, " of the data, but the file has ",
            data_bytes, " (",
            expected > data_bytes ? "it is cut off, download it again" : "something was appended",
            ")");
  }
}

}  // namespace

JsonLimits safetensors_json_limits() {
  return {.max_bytes = kMaxHeaderBytes,
          .max_depth = 8,
          .max_values = kMaxHeaderValues,
          .refuse_duplicate_keys = true};
}

void read_safetensors(std::span<const std::byte> file, std::string_view source,
                      const TensorSink& sink) {
  const std::string_view text = header_text(file, source);
  const std::string where = std::string(source) + ": header";
  const json::value header =
      parse_json(text, where, ErrorCode::kInvalidModel, safetensors_json_limits());
  const json::object* object = header.if_object();
  if (object == nullptr) invalid(where, ": not a JSON object");
  // One more for __metadata__.
  if (object->size() > kMaxTensors + 1) {
    invalid(source, ": has ", object->size(), " tensors, at most ", kMaxTensors, " are accepted");
  }
  std::vector<Entry> entries;
  entries.reserve(object->size());
  for (const auto& pair : *object) {
    if (pair.key() == "__metadata__") {
      check_metadata(pair.value(), source);
    } else {
      entries.push_back(parse_entry(pair.key(), pair.value(), source));
    }
  }
  if (entries.size() > kMaxTensors) {
    invalid(source, ": has ", entries.size(), " tensors, at most ", kMaxTensors, " are accepted");
  }
  const auto data = file.subspan(kLengthBytes + text.size());
  check_layout(entries, data.size(), source);
  for (Entry& entry : entries) {
    sink({entry.name, entry.dtype, std::move(entry.shape),
          data.subspan(static_cast<std::size_t>(entry.begin),
                       static_cast<std::size_t>(entry.end - entry.begin))});
  }
}

}  // namespace lambert
