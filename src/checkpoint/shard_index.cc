#include "checkpoint/shard_index.h"

#include <set>

#include "base/json.h"
#include "checkpoint/safetensors.h"

namespace lambert {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxShards = 1'000;
constexpr std::size_t kMaxFileName = 255;

void check_shard_name(std::string_view name, std::string_view source) {
  const bool plain = !name.empty() && name.size() <= kMaxFileName && name.front() != '.' &&
                     (name.ends_with(".safetensors") || name.ends_with(".bin")) &&
                     name.find_first_of("/:") == std::string_view::npos &&
                     quote(name, kMaxFileName) == '"' + std::string(name) + '"';
  if (!plain) {
    fail(ErrorCode::kInvalidModel, source, ": weight_map names the file ", quote(name),
         ", expected a plain *.safetensors or *.bin file name without directories");
  }
}

}  // namespace

ShardIndex::ShardIndex(std::string_view text, std::string_view source) : source_(source) {
  const json::value index =
      parse_json(text, source, ErrorCode::kInvalidModel, safetensors_json_limits());
  const json::object* object = index.if_object();
  const json::value* map = object == nullptr ? nullptr : object->if_contains("weight_map");
  if (map == nullptr || !map->is_object() || map->get_object().empty()) {
    fail(ErrorCode::kInvalidModel, source, ": has no weight_map that names the shards");
  }
  for (const auto& pair : map->get_object()) {
    const json::string* name = pair.value().if_string();
    if (name == nullptr) {
      fail(ErrorCode::kInvalidModel, source, ": weight_map ", quote(pair.key()),
           " is not a string");
    }
    check_shard_name(*name, source);
    tensors_[std::string(std::string_view(pair.key()))].shard = std::string_view(*name);
  }
  if (const std::size_t count = shards().size(); count > kMaxShards) {
    fail(ErrorCode::kInvalidModel, source, ": names ", count, " shards, at most ", kMaxShards,
         " are accepted");
  }
}

std::vector<std::string> ShardIndex::shards() const {
  std::set<std::string> names;
  for (const auto& [tensor, entry] : tensors_) names.insert(entry.shard);
  return {names.begin(), names.end()};
}

void ShardIndex::read(std::string_view tensor, std::string_view shard) {
  const auto found = tensors_.find(tensor);
  if (found == tensors_.end()) {
    fail(ErrorCode::kInvalidModel, source_, ": weight_map does not name the tensor ", quote(tensor),
         ", which is in ", quote(shard));
  }
  if (found->second.shard != shard) {
    fail(ErrorCode::kInvalidModel, source_, ": weight_map says that the tensor ", quote(tensor),
         " is in ", quote(found->second.shard), ", but it is in ", quote(shard));
  }
  found->second.read = true;
}

void ShardIndex::check_complete() const {
  for (const auto& [tensor, entry] : tensors_) {
    if (entry.read) continue;
    fail(ErrorCode::kInvalidModel, source_, ": weight_map says that the tensor ", quote(tensor),
         " is in ", quote(entry.shard), ", but it is not there");
  }
}

}  // namespace lambert
