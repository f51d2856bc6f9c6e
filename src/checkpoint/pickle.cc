#include "checkpoint/pickle.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"

namespace lambert {

namespace {

using Kind = PickleValue::Kind;

// The instructions that torch.save writes, and those of protocol 4 that do the same.
enum Opcode : unsigned char {
  kMark = '(',
  kStop = '.',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kEmptyDict = '}',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kEmptyList = ']',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kProto = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8A,
  kShortBinUnicode = 0x8C,
  kBinUnicode8 = 0x8D,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95
};

// Names of the others, for messages.
struct Refused {
  unsigned char code;
  const char* name;
};
constexpr Refused kRefused[] = {{'0', "POP"},
                                {'1', "POP_MARK"},
                                {'2', "DUP"},
                                {'F', "FLOAT"},
                                {'I', "INT"},
                                {'L', "LONG"},
                                {'P', "PERSID"},
                                {'S', "STRING"},
                                {'T', "BINSTRING"},
                                {'V', "UNICODE"},
                                {'d', "DICT"},
                                {'g', "GET"},
                                {'i', "INST"},
                                {'l', "LIST"},
                                {'o', "OBJ"},
                                {'p', "PUT"},
                                {'B', "BINBYTES"},
                                {'C', "SHORT_BINBYTES"},
                                {0x81, "NEWOBJ"},
                                {0x82, "EXT1"},
                                {0x83, "EXT2"},
                                {0x84, "EXT4"},
                                {0x8B, "LONG4"},
                                {0x8E, "BINBYTES8"},
                                {0x8F, "EMPTY_SET"},
                                {0x90, "ADDITEMS"},
                                {0x91, "FROZENSET"},
                                {0x92, "NEWOBJ_EX"},
                                {0x96, "BYTEARRAY8"},
                                {0x97, "NEXT_BUFFER"},
                                {0x98, "READONLY_BUFFER"}};

constexpr std::uint64_t kNoFrame = ~std::uint64_t{0};

}  // namespace

// The stack machine of pickles. A value is made once and then referred to by its handle.
class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> bytes, const PickleHooks& hooks, Pickle& pickle)
      : bytes_(bytes.first(std::min(bytes.size(), Pickle::kMaxBytes))),
        hooks_(hooks),
        pickle_(pickle) {}

  void run() {
    if (next_byte() != kProto) pickle_.refuse("it does not begin with PROTO");
    const unsigned version = next_byte();
    if (version < 2 || version > 4) {
      pickle_.refuse("protocol " + std::to_string(version) + ", expected 2, 3 or 4");
    }
    for (;;) {
      pickle_.instruction_ = pickle_.position_;
      if (pickle_.position_ == frame_end_) frame_end_ = kNoFrame;
      const unsigned char code = next_byte();
      if (code == kStop) break;
      step(code);
      if (pickle_.position_ > frame_end_)
        pickle_.refuse("an instruction crosses the end of a frame");
    }
    if (frame_end_ != kNoFrame && pickle_.position_ != frame_end_) {
      pickle_.refuse("it ends within a frame");
    }
    if (stack_.size() != 1 || !marks_.empty()) pickle_.refuse("its end leaves more than one value");
    pickle_.root_ = stack_.front();
  }

 private:
  void step(unsigned char code) {
    switch (code) {
      case kNone: return push({});
      case kNewTrue: return push({.kind = Kind::kBool, .number = 1, .items = {}});
      case kNewFalse: return push({.kind = Kind::kBool, .items = {}});
      case kBinInt: return push_integer(static_cast<std::int32_t>(next(4)));
      case kBinInt1: return push_integer(static_cast<std::int64_t>(next(1)));
      case kBinInt2: return push_integer(static_cast<std::int64_t>(next(2)));
      case kLong1: return push_long();
      case kBinFloat: next(8); return push({.kind = Kind::kFloat, .items = {}});
      case kShortBinString:
      case kShortBinUnicode: return push_string(next(1));
      case kBinUnicode: return push_string(next(4));
      case kBinUnicode8: return push_string(next(8));
      default: return step_structure(code);
    }
  }

  void step_structure(unsigned char code) {
    switch (code) {
      case kMark: return put_mark();
      case kEmptyTuple: return push({.kind = Kind::kTuple, .items = {}});
      case kEmptyList: return push({.kind = Kind::kList, .items = {}});
      case kEmptyDict: return push({.kind = Kind::kDict, .items = {}});
      case kTuple1: return make_tuple(pop_many(1));
      case kTuple2: return make_tuple(pop_many(2));
      case kTuple3: return make_tuple(pop_many(3));
      case kTuple: return make_tuple(pop_to_mark());
      case kAppend: return extend(Kind::kList, pop_many(1));
      case kAppends: return extend(Kind::kList, pop_to_mark());
      case kSetItem: return extend(Kind::kDict, pop_many(2));
      case kSetItems: return extend(Kind::kDict, pop_to_mark());
      case kBinPut: return put_memo(next(1));
      case kLongBinPut: return put_memo(next(4));
      case kMemoize: return put_memo(memo_.size());
      case kBinGet: return get_memo(next(1));
      case kLongBinGet: return get_memo(next(4));
      default: return step_object(code);
    }
  }

  void step_object(unsigned char code) {
    switch (code) {
      case kGlobal: return push_global();
      case kStackGlobal: return push_stack_global();
      case kReduce: return reduce();
      case kBuild: return build();
      case kBinPersId: return push(hooks_.persistent(pickle_, pickle_.at(pop())));
      case kFrame: return begin_frame();
      default: refuse_opcode(code);
    }
  }

  [[noreturn]] void refuse_opcode(unsigned char code) const {
    for (const Refused& refused : kRefused) {
      if (refused.code == code) {
        pickle_.refuse(std::string("the instruction ") + refused.name +
                       ", which no state dict needs");
      }
    }
    char text[8];
    std::snprintf(text, sizeof text, "0x%02X", code);
    pickle_.refuse(std::string("the instruction ") + text + ", which there is not");
  }

  void need(std::uint64_t count) const {
    if (count > bytes_.size() - pickle_.position_) {
      pickle_.refuse(bytes_.size() == Pickle::kMaxBytes ? "it has more than 64 MiB"
                                                        : "it ends too early");
    }
  }
  unsigned char next_byte() { return static_cast<unsigned char>(next(1)); }
  std::uint64_t next(std::size_t count) {  // little-endian
    need(count);
    std::uint64_t value = 0;
    for (std::size_t i = count; i > 0; --i) {
      value = value << 8 | std::to_integer<std::uint64_t>(bytes_[pickle_.position_ + i - 1]);
    }
    pickle_.position_ += count;
    return value;
  }

  void push(PickleValue value) {
    if (pickle_.values_.size() == Pickle::kMaxValues)
      pickle_.refuse("it has over 1,000,000 values");
    count_items(value.items.size());
    pickle_.values_.push_back(std::move(value));
    push_handle(static_cast<PickleHandle>(pickle_.values_.size() - 1));
  }
  void count_items(std::size_t count) {
    items_ += count;
    if (items_ > Pickle::kMaxItems) pickle_.refuse("its values have over 4,000,000 items");
  }
  void push_handle(PickleHandle handle) {
    if (stack_.size() == Pickle::kMaxValues) pickle_.refuse("its stack has over 1,000,000 values");
    stack_.push_back(handle);
  }
  void push_integer(std::int64_t number) {
    push({.kind = Kind::kInteger, .number = number, .items = {}});
  }
  void push_long() {
    const auto length = static_cast<std::size_t>(next(1));
    if (length > 8) pickle_.refuse("an integer of " + std::to_string(length) + " bytes");
    std::uint64_t number = next(length);
    const bool negative = length > 0 && length < 8 && number >> (8 * length - 1) != 0;
    if (negative) number |= ~std::uint64_t{0} << 8 * length;
    push_integer(static_cast<std::int64_t>(number));
  }
  std::string_view take_text(std::uint64_t length) {
    if (length > Pickle::kMaxString) {
      pickle_.refuse("a string of " + std::to_string(length) + " bytes, at most " +
                     std::to_string(Pickle::kMaxString) + " are accepted");
    }
    need(length);
    const char* begin = reinterpret_cast<const char*>(bytes_.data()) + pickle_.position_;
    pickle_.position_ += static_cast<std::size_t>(length);
    return {begin, static_cast<std::size_t>(length)};
  }
  void push_string(std::uint64_t length) {
    push({.kind = Kind::kString, .text = take_text(length), .items = {}});
  }

  void put_mark() {
    if (marks_.size() == Pickle::kMaxValues) pickle_.refuse("it has over 1,000,000 marks");
    marks_.push_back(stack_.size());
  }
  // Values below the last mark are not to be had without it.
  void need_values(std::size_t count) const {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() - floor < count) pickle_.refuse("its stack is empty");
  }
  PickleHandle pop() {
    need_values(1);
    const PickleHandle handle = stack_.back();
    stack_.pop_back();
    return handle;
  }
  std::vector<PickleHandle> pop_many(std::size_t count) {
    need_values(count);
    std::vector<PickleHandle> items(stack_.end() - static_cast<std::ptrdiff_t>(count),
                                    stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }
  std::vector<PickleHandle> pop_to_mark() {
    if (marks_.empty()) pickle_.refuse("a mark is missing");
    const std::size_t count = stack_.size() - marks_.back();
    std::vector<PickleHandle> items = pop_many(count);
    marks_.pop_back();
    return items;
  }
  void make_tuple(std::vector<PickleHandle> items) {
    push({.kind = Kind::kTuple, .items = std::move(items)});
  }
  void extend(Kind kind, const std::vector<PickleHandle>& items) {
    need_values(1);
    PickleValue& target = pickle_.values_[stack_.back()];
    if (target.kind != kind || (kind == Kind::kDict && items.size() % 2 != 0)) {
      pickle_.refuse(kind == Kind::kDict ? "items are set in what is no dictionary"
                                         : "items are appended to what is no list");
    }
    count_items(items.size());
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  void put_memo(std::uint64_t index) {
    need_values(1);
    if (index >= Pickle::kMaxValues) pickle_.refuse("its memo has over 1,000,000 places");
    const auto place = static_cast<std::size_t>(index);
    if (memo_.size() <= place) memo_.resize(place + 1, kEmpty);
    memo_[place] = stack_.back();
  }
  void get_memo(std::uint64_t index) {
    if (index >= memo_.size() || memo_[static_cast<std::size_t>(index)] == kEmpty) {
      pickle_.refuse("place " + std::to_string(index) + " of the memo is empty");
    }
    push_handle(memo_[static_cast<std::size_t>(index)]);
  }

  // Two lines: module and name.
  void push_global() {
    const char* begin = reinterpret_cast<const char*>(bytes_.data()) + pickle_.position_;
    const std::string_view rest(begin, bytes_.size() - pickle_.position_);
    const std::size_t first = rest.substr(0, Pickle::kMaxString).find('\n');
    const std::size_t second =
        first == rest.npos ? rest.npos : rest.substr(0, Pickle::kMaxString).find('\n', first + 1);
    if (second == rest.npos) pickle_.refuse("a name of a class or function without an end");
    pickle_.position_ += second + 1;
    name_global(rest.substr(0, first), rest.substr(first + 1, second - first - 1));
  }
  void push_stack_global() {
    const std::vector<PickleHandle> names = pop_many(2);
    const PickleValue &module = pickle_.at(names[0]), &name = pickle_.at(names[1]);
    if (module.kind != Kind::kString || name.kind != Kind::kString) {
      pickle_.refuse("a name of a class or function that is no string");
    }
    name_global(module.text, name.text);
  }
  void name_global(std::string_view module, std::string_view name) {
    const std::string full = std::string(module) + " " + std::string(name);
    push({.kind = Kind::kGlobal, .text = hooks_.global(pickle_, full), .items = {}});
  }

  void reduce() {
    const std::vector<PickleHandle> call = pop_many(2);
    const PickleValue &function = pickle_.at(call[0]), &arguments = pickle_.at(call[1]);
    if (function.kind != Kind::kGlobal || arguments.kind != Kind::kTuple) {
      pickle_.refuse("a call of what is no function");
    }
    push(hooks_.call(pickle_, function.text, arguments));
  }
  // Only dictionaries have a state, _metadata, which tells nothing about tensors.
  void build() {
    pop();
    need_values(1);
    if (pickle_.at(stack_.back()).kind != Kind::kDict) {
      pickle_.refuse("the state of what is no dictionary is set");
    }
  }
  void begin_frame() {
    const std::uint64_t length = next(8);
    if (frame_end_ != kNoFrame) pickle_.refuse("a frame within a frame");
    need(length);
    frame_end_ = pickle_.position_ + length;
  }

  static constexpr PickleHandle kEmpty = ~PickleHandle{0};

  const std::span<const std::byte> bytes_;
  const PickleHooks& hooks_;
  Pickle& pickle_;
  std::vector<PickleHandle> stack_, memo_;
  std::vector<std::size_t> marks_;
  std::size_t items_ = 0;
  std::uint64_t frame_end_ = kNoFrame;
};

Pickle::Pickle(std::span<const std::byte> bytes, std::string_view source, const PickleHooks& hooks)
    : source_(source) {
  PickleMachine(bytes, hooks, *this).run();
}

void Pickle::refuse(const std::string& what) const {
  fail(ErrorCode::kInvalidModel, source_, ": pickle, byte ", instruction_, ": ", what,
       "; a state dict saved with torch.save is expected, and nothing is run");
}

}  // namespace lambert
