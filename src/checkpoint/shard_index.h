// model.safetensors.index.json and pytorch_model.bin.index.json: which file, a shard, holds which
// tensor.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lambert {

// Compares what the index says with the tensors that are read. Not safe for concurrent use.
class ShardIndex {
 public:
  // `source` names the file in messages. Throws kInvalidModel, also for a file name that is not a
  // plain basename.
  ShardIndex(std::string_view json, std::string_view source);

  std::vector<std::string> shards() const;  // each once, sorted

  // To be called with each tensor of each shard. Throws kInvalidModel for one that the index does
  // not name, or names in another shard.
  void read(std::string_view tensor, std::string_view shard);
  // Throws kInvalidModel when a tensor of the index was not read.
  void check_complete() const;

 private:
  struct Entry {
    std::string shard;
    bool read = false;
  };
  std::string source_;
  std::map<std::string, Entry, std::less<>> tensors_;
};

}  // namespace lambert
