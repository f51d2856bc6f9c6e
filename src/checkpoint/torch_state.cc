#include "checkpoint/torch_state.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "checkpoint/pickle.h"

namespace lambert {

namespace {

using Kind = PickleValue::Kind;

// Names that may occur, as "module name". Those with a type stand for it.
struct TorchName {
  std::string_view text;
  std::optional<DType> dtype;
};
constexpr TorchName kTorchNames[] = {
    {"collections OrderedDict", {}},
    {"torch Size", {}},
    {"torch device", {}},
    {"torch._utils _rebuild_tensor", {}},
    {"torch._utils _rebuild_tensor_v2", {}},
    {"torch._utils _rebuild_tensor_v3", {}},
    {"torch._utils _rebuild_parameter", {}},
    {"torch._utils _rebuild_parameter_with_state", {}},
    {"torch.storage UntypedStorage", DType::kU8},
    {"torch DoubleStorage", DType::kF64},
    {"torch FloatStorage", DType::kF32},
    {"torch HalfStorage", DType::kF16},
    {"torch BFloat16Storage", DType::kBF16},
    {"torch LongStorage", DType::kI64},
    {"torch IntStorage", DType::kI32},
    {"torch ShortStorage", DType::kI16},
    {"torch CharStorage", DType::kI8},
    {"torch ByteStorage", DType::kU8},
    {"torch BoolStorage", DType::kBool},
    {"torch float64", DType::kF64},
    {"torch float32", DType::kF32},
    {"torch float16", DType::kF16},
    {"torch bfloat16", DType::kBF16},
    {"torch int64", DType::kI64},
    {"torch int32", DType::kI32},
    {"torch int16", DType::kI16},
    {"torch int8", DType::kI8},
    {"torch uint64", DType::kU64},
    {"torch uint32", DType::kU32},
    {"torch uint16", DType::kU16},
    {"torch uint8", DType::kU8},
    {"torch bool", DType::kBool},
    {"torch float8_e5m2", DType::kF8E5M2},
    {"torch float8_e4m3fn", DType::kF8E4M3},
};

const TorchName* find_name(std::string_view text) {
  const auto* const found = std::find_if(std::begin(kTorchNames), std::end(kTorchNames),
                                         [&](const TorchName& name) { return name.text == text; });
  return found == std::end(kTorchNames) ? nullptr : found;
}

bool is_storage_class(std::string_view text) {
  return text.ends_with("Storage");
}

// "module.name", for messages.
std::string dotted(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), ' ', '.');
  return quote(text);
}

bool overflows(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product);
}

// A storage, or in very old files a part of one.
struct StoragePart {
  std::size_t storage;
  std::uint64_t first, elements;
};

// What the names in the pickle mean: values that describe tensors.
class TorchNames {
 public:
  TorchNames(std::string_view source, TorchFormat format) : source_(source), format_(format) {}

  PickleHooks hooks() {
    return {[this](const Pickle& pickle, std::string_view name) { return check(pickle, name); },
            [this](const Pickle& pickle, std::string_view function, const PickleValue& arguments) {
              return call(pickle, function, arguments);
            },
            [this](const Pickle& pickle, const PickleValue& id) { return storage(pickle, id); }};
  }
  const TorchTensor* tensor(const PickleValue& value) const {
    const bool is_tensor = value.kind == Kind::kMade && value.number >= 0;
    return is_tensor ? &tensors_[static_cast<std::size_t>(value.number)] : nullptr;
  }
  std::vector<TorchStorage> take_storages() { return std::move(storages_); }

 private:
  std::string_view check(const Pickle& pickle, std::string_view name) const {
    if (const TorchName* const known = find_name(name)) return known->text;
    for (const std::string_view module : {"torch.nn.", "transformers.", "__main__ "}) {
      if (!name.starts_with(module)) continue;
      fail(ErrorCode::kUnsupportedModel, source_, ": holds an object of the class ", dotted(name),
           ", not only tensors; save the model's state_dict() instead: torch.save("
           "model.state_dict(), \"pytorch_model.bin\"), or model.save_pretrained(DIR)");
    }
    if (name.starts_with("torch ") && is_storage_class(name)) {
      fail(ErrorCode::kUnsupportedModel, source_, ": has a storage of the type ", dotted(name),
           ", expected real numbers; save the model as float32, float16 or bfloat16");
    }
    pickle.refuse("it names " + dotted(name) + ", which no state dict needs");
  }

  PickleValue call(const Pickle& pickle, std::string_view function, const PickleValue& arguments) {
    const std::vector<PickleHandle>& items = arguments.items;
    if (function == "collections OrderedDict") return ordered_dict(pickle, items);
    if (function == "torch Size") return size(pickle, items);
    if (function == "torch device") return {};
    if (function == "torch._utils _rebuild_tensor") return rebuild(pickle, items, 4);
    if (function == "torch._utils _rebuild_tensor_v2") return rebuild(pickle, items, 6);
    if (function == "torch._utils _rebuild_tensor_v3") return rebuild(pickle, items, 7);
    if (function.starts_with("torch._utils _rebuild_parameter")) {
      if (items.empty() || tensor(pickle.at(items[0])) == nullptr) {
        pickle.refuse("a parameter without a tensor");
      }
      return pickle.at(items[0]);
    }
    pickle.refuse(dotted(function) + " is called, which is no function of a state dict");
  }

  // With nothing, or with a list of pairs as Python 2 wrote.
  static PickleValue ordered_dict(const Pickle& pickle, const std::vector<PickleHandle>& items) {
    PickleValue dict{.kind = Kind::kDict, .items = {}};
    if (items.empty()) return dict;
    const PickleValue& pairs = pickle.at(items[0]);
    if (items.size() != 1 || pairs.kind != Kind::kList) pickle.refuse("a dictionary of no list");
    for (const PickleHandle handle : pairs.items) {
      const PickleValue& pair = pickle.at(handle);
      if ((pair.kind != Kind::kList && pair.kind != Kind::kTuple) || pair.items.size() != 2) {
        pickle.refuse("a dictionary of what are no pairs");
      }
      dict.items.insert(dict.items.end(), pair.items.begin(), pair.items.end());
    }
    return dict;
  }

  static PickleValue size(const Pickle& pickle, const std::vector<PickleHandle>& items) {
    if (items.size() != 1) pickle.refuse("torch.Size of no tuple");
    naturals(pickle, pickle.at(items[0]), "torch.Size");
    return pickle.at(items[0]);
  }

  // ('storage', class, key, location, elements), and a view of it in legacy files.
  PickleValue storage(const Pickle& pickle, const PickleValue& id) {
    const std::size_t count = format_ == TorchFormat::kZip ? 5 : 6;
    if (id.kind != Kind::kTuple || id.items.size() != count ||
        pickle.at(id.items[0]).kind != Kind::kString || pickle.at(id.items[0]).text != "storage") {
      pickle.refuse("a persistent id that is not ('storage', type, key, location, elements)");
    }
    const PickleValue &type = pickle.at(id.items[1]), &key = pickle.at(id.items[2]);
    if (type.kind != Kind::kGlobal || !is_storage_class(type.text)) {
      pickle.refuse("a storage without its type");
    }
    if (key.kind != Kind::kString || key.text.empty()) pickle.refuse("a storage without its key");
    const TorchStorage found{key.text, *find_name(type.text)->dtype,
                             natural(pickle, id.items[4], "number of elements")};
    if (overflows(found.elements, item_size(found.dtype))) {
      pickle.refuse("a storage of " + std::to_string(found.elements) + " elements");
    }
    const std::size_t index = add_storage(pickle, found);
    const StoragePart whole{index, 0, found.elements};
    parts_.push_back(count == 5 ? whole : view(pickle, whole, pickle.at(id.items[5])));
    return made(-static_cast<std::int64_t>(parts_.size()));
  }

  std::size_t add_storage(const Pickle& pickle, const TorchStorage& found) {
    const auto [place, is_new] = by_key_.emplace(found.key, storages_.size());
    if (is_new) {
      storages_.push_back(found);
    } else if (const TorchStorage& known = storages_[place->second];
               known.dtype != found.dtype || known.elements != found.elements) {
      pickle.refuse("the storage " + quote(found.key) + " has two types or sizes");
    }
    return place->second;
  }

  // None or (key, first element, elements).
  static StoragePart view(const Pickle& pickle, StoragePart whole, const PickleValue& view) {
    if (view.kind == Kind::kNone) return whole;
    if (view.kind != Kind::kTuple || view.items.size() != 3) {
      pickle.refuse("a view that is not (key, offset, size)");
    }
    const std::uint64_t first = natural(pickle, view.items[1], "offset of a view");
    const std::uint64_t elements = natural(pickle, view.items[2], "size of a view");
    if (first > whole.elements || elements > whole.elements - first) {
      pickle.refuse("a view that leaves its storage");
    }
    return {whole.storage, first, elements};
  }

  // (storage, offset, shape, stride, requires_grad, hooks, dtype), of which 4, 6 or 7 are needed;
  // one more may follow, metadata.
  PickleValue rebuild(const Pickle& pickle, const std::vector<PickleHandle>& items,
                      std::size_t count) {
    if (items.size() < count || items.size() > count + 1) {
      pickle.refuse("a tensor of " + std::to_string(items.size()) + " arguments, expected " +
                    std::to_string(count));
    }
    const PickleValue& of = pickle.at(items[0]);
    const StoragePart* const part = storage_part(of);
    if (part == nullptr) pickle.refuse("a tensor without a storage");
    const TorchStorage& storage = storages_[part->storage];
    TorchTensor tensor;
    tensor.storage = part->storage;
    tensor.dtype = count == 7 ? dtype(pickle, pickle.at(items[6])) : storage.dtype;
    tensor.shape = naturals(pickle, pickle.at(items[2]), "shape");
    tensor.stride = naturals(pickle, pickle.at(items[3]), "stride");
    if (tensor.shape.size() != tensor.stride.size()) {
      pickle.refuse("a tensor with " + std::to_string(tensor.shape.size()) + " extents and " +
                    std::to_string(tensor.stride.size()) + " strides");
    }
    place(pickle, tensor, *part, natural(pickle, items[1], "offset"));
    tensors_.push_back(std::move(tensor));
    return made(static_cast<std::int64_t>(tensors_.size() - 1));
  }

  // Sets the tensor's offset; all its elements must lie in the part of the storage.
  void place(const Pickle& pickle, TorchTensor& tensor, const StoragePart& part,
             std::uint64_t offset) const {
    std::uint64_t elements = 1, last = offset;
    bool overflow = false;
    for (std::size_t i = 0; i < tensor.shape.size() && elements != 0; ++i) {
      std::uint64_t step = 0;
      if (tensor.shape[i] > 0) {
        overflow |= __builtin_mul_overflow(tensor.shape[i] - 1, tensor.stride[i], &step);
        overflow |= __builtin_add_overflow(last, step, &last);
      }
      overflow |= __builtin_mul_overflow(elements, tensor.shape[i], &elements);
    }
    const std::size_t item = item_size(tensor.dtype);
    const std::size_t storage_item = item_size(storages_[part.storage].dtype);
    const std::uint64_t bytes = part.elements * storage_item;
    overflow |= overflows(elements, item);
    if (elements != 0 && (overflow || last >= bytes / item)) {
      pickle.refuse("a tensor leaves its storage of " + std::to_string(bytes) + " bytes");
    }
    if (overflow) pickle.refuse("a tensor whose size overflows 64 bits");
    tensor.offset = elements == 0 ? 0 : part.first * storage_item + offset * item;
  }

  DType dtype(const Pickle& pickle, const PickleValue& value) const {
    if (value.kind == Kind::kGlobal && !is_storage_class(value.text)) {
      if (const auto& dtype = find_name(value.text)->dtype) return *dtype;
    }
    pickle.refuse("a tensor without its type");
  }

  static std::uint64_t natural(const Pickle& pickle, PickleHandle handle, const char* what) {
    const PickleValue& value = pickle.at(handle);
    if (value.kind != Kind::kInteger || value.number < 0) {
      pickle.refuse(std::string("the ") + what + " is " +
                    (value.kind == Kind::kInteger ? std::to_string(value.number) : "no integer"));
    }
    return static_cast<std::uint64_t>(value.number);
  }
  static std::vector<std::uint64_t> naturals(const Pickle& pickle, const PickleValue& tuple,
                                             const char* what) {
    if (tuple.kind != Kind::kTuple || tuple.items.size() > TorchState::kMaxDimensions) {
      pickle.refuse(std::string("the ") + what + " is no tuple of up to " +
                    std::to_string(TorchState::kMaxDimensions) + " integers");
    }
    std::vector<std::uint64_t> numbers;
    for (const PickleHandle handle : tuple.items) numbers.push_back(natural(pickle, handle, what));
    return numbers;
  }

  // The number of a tensor is its place in tensors_; -1 - place in parts_ that of a storage.
  static PickleValue made(std::int64_t number) {
    return {.kind = Kind::kMade, .number = number, .items = {}};
  }
  const StoragePart* storage_part(const PickleValue& value) const {
    const bool is_part = value.kind == Kind::kMade && value.number < 0;
    return is_part ? &parts_[static_cast<std::size_t>(-1 - value.number)] : nullptr;
  }

  const std::string_view source_;
  const TorchFormat format_;
  std::vector<TorchStorage> storages_;
  std::map<std::string_view, std::size_t> by_key_;  // into storages_
  std::vector<StoragePart> parts_;
  std::vector<TorchTensor> tensors_;
};

bool holds_tensors(const Pickle& pickle, const TorchNames& names, const PickleValue& value) {
  if (value.kind != Kind::kDict) return false;
  for (std::size_t i = 1; i < value.items.size(); i += 2) {
    if (names.tensor(pickle.at(value.items[i])) != nullptr) return true;
  }
  return false;
}

// Where checkpoints of training programs keep the state dict.
bool is_state_dict_key(std::string_view key) {
  constexpr std::string_view kKeys[] = {"state_dict", "model_state_dict", "model", "module"};
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

// The dictionary of tensors: the root, or what it holds under a usual key or alone.
const PickleValue& find_state_dict(const Pickle& pickle, const TorchNames& names,
                                   std::string_view source) {
  const PickleValue& root = pickle.root();
  if (holds_tensors(pickle, names, root)) return root;
  const PickleValue *usual = nullptr, *only = nullptr;
  std::size_t found = 0, found_usual = 0;
  for (std::size_t i = 0; root.kind == Kind::kDict && i + 1 < root.items.size(); i += 2) {
    const PickleValue &key = pickle.at(root.items[i]), &value = pickle.at(root.items[i + 1]);
    if (!holds_tensors(pickle, names, value)) continue;
    only = &value;
    ++found;
    if (key.kind == Kind::kString && is_state_dict_key(key.text)) {
      usual = &value;
      ++found_usual;
    }
  }
  if (found_usual == 1) return *usual;
  if (found == 1) return *only;
  fail(ErrorCode::kInvalidModel, source, ": holds ",
       root.kind != Kind::kDict ? "no dictionary"
       : found == 0             ? "no tensors"
                                : "several dictionaries of tensors",
       ", expected the tensors of one model by name; save model.state_dict()");
}

std::vector<TorchTensor> take_tensors(const Pickle& pickle, const TorchNames& names,
                                      std::string_view source) {
  const PickleValue& dict = find_state_dict(pickle, names, source);
  std::vector<TorchTensor> tensors;
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const TorchTensor* const tensor = names.tensor(pickle.at(dict.items[i + 1]));
    if (tensor == nullptr) continue;  // a number or text beside them
    const PickleValue& key = pickle.at(dict.items[i]);
    if (key.kind != Kind::kString) {
      fail(ErrorCode::kInvalidModel, source, ": a tensor has no name");
    }
    if (key.text.size() > TorchState::kMaxNameBytes) {
      fail(ErrorCode::kLimitExceeded, source, ": the tensor name ", quote(key.text), " has ",
           key.text.size(), " bytes, at most ", TorchState::kMaxNameBytes, " are accepted");
    }
    if (!seen.insert(key.text).second) {
      fail(ErrorCode::kInvalidModel, source, ": has the tensor ", quote(key.text), " twice");
    }
    if (tensors.size() == TorchState::kMaxTensors) {
      fail(ErrorCode::kLimitExceeded, source, ": has more than ", TorchState::kMaxTensors,
           " tensors");
    }
    tensors.push_back(*tensor);
    tensors.back().name = key.text;
  }
  return tensors;
}

}  // namespace

bool TorchTensor::contiguous() const {
  if (std::ranges::find(shape, 0u) != shape.end()) return true;
  std::uint64_t step = 1;
  for (std::size_t i = shape.size(); i > 0; --i) {
    if (shape[i - 1] != 1 && stride[i - 1] != step) return false;
    step *= shape[i - 1];
  }
  return true;
}

TorchState read_torch_state(std::span<const std::byte> bytes, std::string_view source,
                            TorchFormat format) {
  TorchNames names(source, format);
  const Pickle pickle(bytes, source, names.hooks());
  TorchState state;
  state.tensors = take_tensors(pickle, names, source);
  std::stable_sort(
      state.tensors.begin(), state.tensors.end(),
      [](const TorchTensor& a, const TorchTensor& b) { return a.storage < b.storage; });
  state.storages = names.take_storages();
  state.pickle_bytes = pickle.size();
  return state;
}

}  // namespace lambert
