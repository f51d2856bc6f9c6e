#include "checkpoint/torch_file.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "checkpoint/pickle.h"
#include "checkpoint/torch_state.h"
#include "checkpoint/zip_reader.h"

namespace lambert {

using namespace std::string_view_literals;

namespace {

constexpr std::string_view kZipMagic = "PK\x03\x04"sv;
// LONG1 of the magic number, then STOP.
constexpr std::string_view kLegacyMagic = "\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19."sv;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[noreturn]] void refuse(std::string_view source, const std::string& what) {
  fail(ErrorCode::kInvalidModel, source, ": damaged PyTorch file: ", what,
       "; download it again or save it anew");
}

// Bytes of the pickle of the legacy magic number; 0 where there is none. Protocol 4 has a frame.
std::size_t legacy_magic_bytes(std::string_view file) {
  for (const std::string_view head :
       {"\x80\x02"sv, "\x80\x03"sv, "\x80\x04"sv, "\x80\x04\x95\x0D\0\0\0\0\0\0\0"sv}) {
    if (file.starts_with(head) && file.substr(head.size()).starts_with(kLegacyMagic)) {
      return head.size() + kLegacyMagic.size();
    }
  }
  return 0;
}

// Tensors that do not lie in order in their storage are put in order, in memory.
class TensorPusher {
 public:
  TensorPusher(std::uint64_t file_bytes, std::string_view source, const TensorSink& sink)
      : budget_(std::max<std::uint64_t>(std::uint64_t{64} << 20, 2 * file_bytes)),
        source_(source),
        sink_(sink) {}

  // All tensors of one storage, which has the bytes `data`.
  void push(std::span<const TorchTensor> tensors, std::span<const std::byte> data,
            const std::shared_ptr<const void>& owner) {
    for (const TorchTensor& tensor : tensors) {
      Tensor pushed{tensor.name, tensor.dtype, tensor.shape, {}, owner, tensors.size() > 1};
      const std::uint64_t bytes = pushed.elements() * item_size(tensor.dtype);
      if (tensor.contiguous()) {
        pushed.data =
            data.subspan(static_cast<std::size_t>(tensor.offset), static_cast<std::size_t>(bytes));
        sink_(pushed);
      } else {
        push_in_order(tensor, data, bytes, pushed);
      }
    }
  }

 private:
  void push_in_order(const TorchTensor& tensor, std::span<const std::byte> data,
                     std::uint64_t bytes, Tensor& pushed) {
    if (bytes > budget_) {
      fail(ErrorCode::kLimitExceeded, source_, ": the tensor ", quote(tensor.name), " has ", bytes,
           " bytes, far more than are stored; save tensor.contiguous() of what is meant");
    }
    budget_ -= bytes;
    const auto ordered = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(bytes));
    copy_in_order(tensor, data, ordered->data());
    pushed.data = *ordered;
    pushed.owner = ordered;
    pushed.shared = false;
    sink_(pushed);
  }

  // Counts through the indices, the last dimension fastest.
  static void copy_in_order(const TorchTensor& tensor, std::span<const std::byte> data,
                            std::byte* to) {
    const std::size_t item = item_size(tensor.dtype), last = tensor.shape.size() - 1;
    std::vector<std::uint64_t> index(tensor.shape.size());
    std::uint64_t from = 0;  // in elements, from the tensor's offset
    for (;;) {
      const std::byte* element = data.data() + tensor.offset + from * item;
      for (std::uint64_t i = 0; i < tensor.shape[last]; ++i, to += item) {
        std::memcpy(to, element + i * tensor.stride[last] * item, item);
      }
      std::size_t dimension = last;
      for (; dimension > 0; --dimension) {
        const std::size_t d = dimension - 1;
        from += tensor.stride[d];
        if (++index[d] < tensor.shape[d]) break;
        from -= tensor.stride[d] * tensor.shape[d];
        index[d] = 0;
      }
      if (dimension == 0) return;
    }
  }

  std::uint64_t budget_;  // bytes that may still be put in order
  const std::string_view source_;
  const TensorSink& sink_;
};

// Calls of(index of the storage, its tensors) for each storage that has some.
template <typename Of>
void for_each_storage(const TorchState& state, const Of& of) {
  const std::span<const TorchTensor> tensors = state.tensors;
  for (std::size_t first = 0, last = 0; first < tensors.size(); first = last) {
    const std::size_t storage = tensors[first].storage;
    while (last < tensors.size() && tensors[last].storage == storage) ++last;
    of(storage, tensors.subspan(first, last - first));
  }
}

// --- zip ---

// What a zip file without data.pkl may be.
std::string_view other_zip(const std::vector<ZipEntry>& entries) {
  for (const ZipEntry& entry : entries) {
    if (entry.name.ends_with(".npy")) return "NumPy's .npz";
    if (entry.name.ends_with("model.weights.h5")) return "a Keras model";
    if (entry.name == "[Content_Types].xml") return "an office document";
    if (entry.name == "META-INF/MANIFEST.MF") return "a Java archive";
  }
  return "a zip file of something else";
}

class TorchZip {
 public:
  TorchZip(std::span<const std::byte> file, std::string_view source)
      : source_(source), entries_(read_zip_directory(file, source)) {
    for (const ZipEntry& entry : entries_) by_name_.emplace(entry.name, &entry);
    find_directory();
    if (const ZipEntry* const order = find("byteorder")) {
      const Content content = read(*order, 64);
      if (text_of(content.bytes) != "little") {
        fail(ErrorCode::kUnsupportedModel, source_, ": its byteorder is ",
             quote(text_of(content.bytes)), ", expected \"little\"; save it on such a machine");
      }
    }
  }

  struct Content {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;  // null where the bytes lie in the file
  };

  Content pickle() const { return read(*find("data.pkl"), Pickle::kMaxBytes); }

  Content storage(const TorchStorage& storage) const {
    const std::string name = "data/" + std::string(storage.key);
    const ZipEntry* const entry = find(name);
    if (entry == nullptr) refuse(source_, "the storage " + quote(name) + " is missing");
    if (entry->size != storage.bytes()) {
      refuse(source_, "the storage " + quote(name) + " has " + std::to_string(entry->size) +
                          " bytes, expected " + std::to_string(storage.bytes()));
    }
    return read(*entry, storage.bytes());
  }

 private:
  // Where data.pkl lies, whatever the directory is called.
  void find_directory() {
    const ZipEntry* found = nullptr;
    for (const ZipEntry& entry : entries_) {
      if (!entry.name.ends_with("/data.pkl")) continue;
      if (found != nullptr) refuse(source_, "it has several files data.pkl");
      found = &entry;
    }
    if (found == nullptr) {
      fail(ErrorCode::kUnsupportedModel, source_, ": is ", other_zip(entries_),
           ", no file of torch.save: it has no data.pkl");
    }
    directory_ = found->name.substr(0, found->name.size() - "data.pkl"sv.size());
    for (const ZipEntry& entry : entries_) {
      const std::string_view name = entry.name;
      if (name.ends_with("/constants.pkl") || name.find("/code/") != name.npos) {
        fail(ErrorCode::kUnsupportedModel, source_,
             ": is a TorchScript archive, a program; save the tensors alone: "
             "torch.save(torch.jit.load(FILE).state_dict(), \"pytorch_model.bin\")");
      }
    }
  }
  const ZipEntry* find(std::string_view name) const {
    const auto found = by_name_.find(std::string(directory_) + std::string(name));
    return found == by_name_.end() ? nullptr : found->second;
  }

  Content read(const ZipEntry& entry, std::uint64_t max_bytes) const {
    if (entry.size > max_bytes) {
      fail(ErrorCode::kLimitExceeded, source_, ": ", quote(entry.name), " has ", entry.size,
           " bytes, at most ", max_bytes, " are accepted");
    }
    if (!entry.deflated) {
      check_zip_crc(entry, entry.bytes, source_);
      return {entry.bytes, nullptr};
    }
    constexpr std::uint64_t kRatioFrom = 16 << 20, kMaxRatio = 50;
    if (entry.size > kRatioFrom && entry.size / kMaxRatio > entry.bytes.size()) {
      fail(ErrorCode::kLimitExceeded, source_, ": ", quote(entry.name), " decompresses from ",
           entry.bytes.size(), " to ", entry.size, " bytes, over ", kMaxRatio, " times as many");
    }
    const auto content =
        std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(entry.size));
    inflate_zip_entry(entry, *content, source_);
    check_zip_crc(entry, *content, source_);
    return {*content, content};
  }

  const std::string_view source_;
  std::vector<ZipEntry> entries_;
  std::map<std::string, const ZipEntry*, std::less<>> by_name_;
  std::string_view directory_;  // ends in '/'
};

void read_torch_zip(std::span<const std::byte> file, std::string_view source,
                    const TensorSink& sink) {
  const TorchZip zip(file, source);
  const TorchZip::Content pickle = zip.pickle();
  const TorchState state = read_torch_state(pickle.bytes, source, TorchFormat::kZip);
  TensorPusher pusher(file.size(), source, sink);
  for_each_storage(state, [&](std::size_t index, std::span<const TorchTensor> tensors) {
    const TorchZip::Content storage = zip.storage(state.storages[index]);
    pusher.push(tensors, storage.bytes, storage.owner);
  });
}

// --- legacy ---

// A pickle of plain values.
Pickle plain_pickle(std::span<const std::byte> bytes, std::string_view source) {
  return Pickle(bytes, source,
                {[](const Pickle& pickle, std::string_view name) -> std::string_view {
                   pickle.refuse("it names " + quote(name) + " where numbers are expected");
                 },
                 nullptr,
                 [](const Pickle& pickle, const PickleValue&) -> PickleValue {
                   pickle.refuse("a storage where numbers are expected");
                 }});
}

class TorchLegacy {
 public:
  TorchLegacy(std::span<const std::byte> file, std::string_view source)
      : rest_(file), source_(source) {
    rest_ = rest_.subspan(legacy_magic_bytes(text_of(file)));
    check_version(take_plain());
    check_system(take_plain());
    state_ = read_torch_state(rest_, source, TorchFormat::kLegacy);
    rest_ = rest_.subspan(state_.pickle_bytes);
    take_storages(take_plain());
  }

  const TorchState& state() const { return state_; }
  std::span<const std::byte> storage(std::size_t index) const { return storages_[index]; }

 private:
  Pickle take_plain() {
    Pickle pickle = plain_pickle(rest_, source_);
    rest_ = rest_.subspan(pickle.size());
    return pickle;
  }
  void check_version(const Pickle& pickle) const {
    const PickleValue& version = pickle.root();
    if (version.kind != PickleValue::Kind::kInteger || version.number != 1001) {
      refuse(source_, "its protocol version is not 1001");
    }
  }
  void check_system(const Pickle& pickle) const {
    const PickleValue& info = pickle.root();
    if (info.kind != PickleValue::Kind::kDict) refuse(source_, "its sys_info is no dictionary");
    for (std::size_t i = 0; i + 1 < info.items.size(); i += 2) {
      const PickleValue &key = pickle.at(info.items[i]), &value = pickle.at(info.items[i + 1]);
      if (key.kind != PickleValue::Kind::kString || key.text != "little_endian") continue;
      if (value.kind == PickleValue::Kind::kBool && value.number == 1) return;
      fail(ErrorCode::kUnsupportedModel, source_,
           ": was saved on a big-endian machine; save it on a little-endian one");
    }
    refuse(source_, "its sys_info does not say little_endian");
  }

  // The keys in the order of the data: per key the number of elements in 8 bytes, and they.
  void take_storages(const Pickle& pickle) {
    const PickleValue& keys = pickle.root();
    if (keys.kind != PickleValue::Kind::kList) refuse(source_, "its list of storages is missing");
    std::map<std::string_view, std::size_t> by_key;
    for (std::size_t i = 0; i < state_.storages.size(); ++i) by_key[state_.storages[i].key] = i;
    storages_.resize(state_.storages.size());
    for (const PickleHandle handle : keys.items) {
      const PickleValue& key = pickle.at(handle);
      const auto found =
          key.kind == PickleValue::Kind::kString ? by_key.find(key.text) : by_key.end();
      if (found == by_key.end()) refuse(source_, "it lists a storage of no tensor, or one twice");
      take_storage(found->second);
      by_key.erase(found);
    }
    if (!by_key.empty()) {
      refuse(source_, "the storage " + quote(by_key.begin()->first) + " is missing");
    }
    if (!rest_.empty()) {
      refuse(source_, std::to_string(rest_.size()) + " bytes follow its last storage");
    }
  }
  void take_storage(std::size_t index) {
    const TorchStorage& storage = state_.storages[index];
    if (rest_.size() < 8 || rest_.size() - 8 < storage.bytes()) {
      refuse(source_, "it ends within the storage " + quote(storage.key) + ": " +
                          std::to_string(rest_.size()) + " bytes are left of 8 + " +
                          std::to_string(storage.bytes()));
    }
    std::uint64_t elements = 0;
    std::memcpy(&elements, rest_.data(), 8);
    if (elements != storage.elements) {
      refuse(source_, "the storage " + quote(storage.key) + " has " + std::to_string(elements) +
                          " elements, expected " + std::to_string(storage.elements));
    }
    storages_[index] = rest_.subspan(8, static_cast<std::size_t>(storage.bytes()));
    rest_ = rest_.subspan(8 + storages_[index].size());
  }

  std::span<const std::byte> rest_;
  const std::string_view source_;
  TorchState state_;
  std::vector<std::span<const std::byte>> storages_;  // in the order of state_.storages
};

void read_torch_legacy(std::span<const std::byte> file, std::string_view source,
                       const TensorSink& sink) {
  const TorchLegacy legacy(file, source);
  TensorPusher pusher(file.size(), source, sink);
  for_each_storage(legacy.state(), [&](std::size_t index, std::span<const TorchTensor> tensors) {
    pusher.push(tensors, legacy.storage(index), nullptr);
  });
}

}  // namespace

bool is_torch_file(std::span<const std::byte> file) {
  return text_of(file).starts_with(kZipMagic) || legacy_magic_bytes(text_of(file)) > 0;
}

void read_torch_file(std::span<const std::byte> file, std::string_view source,
                     const TensorSink& sink) {
  if (text_of(file).starts_with(kZipMagic)) {
    read_torch_zip(file, source, sink);
  } else if (legacy_magic_bytes(text_of(file)) > 0) {
    read_torch_legacy(file, source, sink);
  } else {
    refuse(source, "it begins neither as a zip archive nor with the legacy magic number");
  }
}

}  // namespace lambert
