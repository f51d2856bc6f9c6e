// Python pickles (protocols 2 to 4), read without running anything: a closed list of instructions
// builds values, and whatever stands for a class or function stays a name (Lib/pickletools.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lambert {

// Where a value is among the values of its pickle.
using PickleHandle = std::uint32_t;

struct PickleValue {
  enum class Kind {
    kNone,
    kBool,
    kInteger,
    kFloat,
    kString,
    kTuple,
    kList,
    kDict,
    kGlobal,  // text: "module name", with the space
    kMade     // by PickleHooks; number is theirs
  };
  Kind kind = Kind::kNone;
  std::int64_t number = 0;          // of kBool, kInteger, kMade
  std::string_view text = {};       // of kString and kGlobal, a part of the pickle or a constant
  std::vector<PickleHandle> items;  // of kTuple and kList; of kDict key, value, key, value, ...
};

class Pickle;

// What a pickle's names mean. Each gets the pickle as it is so far.
struct PickleHooks {
  // Whether the name "module name" may occur at all. It throws, or returns a constant of that text.
  std::function<std::string_view(const Pickle&, std::string_view)> global;
  // REDUCE: the value of calling `function` with the tuple `arguments`.
  std::function<PickleValue(const Pickle&, std::string_view function, const PickleValue& arguments)>
      call;
  // BINPERSID: the object that the persistent id stands for.
  std::function<PickleValue(const Pickle&, const PickleValue& id)> persistent;
};

// A pickle that was read: its values, of which one is the root. Values refer to each other by
// handle, maybe in circles. Views into the bytes that it was read from.
class Pickle {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
  static constexpr std::size_t kMaxValues = 1'000'000;  // and as many in memo and stack
  static constexpr std::size_t kMaxItems = 4'000'000;   // of all tuples, lists and dictionaries
  static constexpr std::size_t kMaxString = std::size_t{64} << 10;

  // Reads one pickle at the beginning of `bytes`. `source` names the file in messages. Throws
  // kInvalidModel and kLimitExceeded with the place, and what the hooks throw.
  Pickle(std::span<const std::byte> bytes, std::string_view source, const PickleHooks& hooks);

  const PickleValue& root() const { return values_[root_]; }
  const PickleValue& at(PickleHandle handle) const { return values_[handle]; }
  std::size_t size() const { return position_; }  // in bytes

  // For hooks: an error at the instruction that is being read.
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  friend class PickleMachine;
  std::string_view source_;
  std::vector<PickleValue> values_;
  PickleHandle root_ = 0;
  std::size_t position_ = 0, instruction_ = 0;  // instruction_: where the last one began
};

}  // namespace lambert
