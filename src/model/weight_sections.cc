#include "model/weight_sections.h"

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "model/finite.h"

namespace lambert {

namespace {

constexpr std::uint32_t with_part(std::uint32_t kind, char part) {
  return (kind & 0x00FFFFFF) | static_cast<std::uint32_t>(static_cast<unsigned char>(part)) << 24;
}

// The sections of one slot; several slots may share an array, of which the first counts.
struct SlotSections {
  const TensorSlot& slot;
  std::vector<WeightSection>& sections;

  void operator()(const IntoEmbedding& into) const {
    const auto rows = static_cast<std::size_t>(slot.shape[0]);
    const std::size_t numbers = rows * static_cast<std::size_t>(slot.shape[1]);
    const bool int8 = into.precision == Precision::kInt8;
    add('w', into.table->values, numbers * item_size(int8 ? DType::kI8 : into.table->dtype));
    if (int8) add('s', into.table->scales, rows);
  }
  void operator()(const IntoRows& into) const {
    add('w', *into.rows, static_cast<std::size_t>(slot.shape[0]) * into.stride);
  }
  void operator()(const IntoVector& into) const {
    if (into.first == 0) add(static_cast<char>(slot.kind >> 24), *into.values, into.size);
  }
  void operator()(const IntoMatrix& into) const {
    if (into.first != 0) return;
    const std::size_t columns = into.panels * kPanel;
    if (into.precision == Precision::kFp32) return add('w', into.matrix->values, columns * into.k);
    into.matrix->quantized.resize(into.blocks());
    for (std::size_t i = 0; i < into.blocks(); ++i) {
      QuantizedMatrix& block = into.matrix->quantized[i];
      const std::size_t k = round_up(into.block_inputs(i), kDepthS8);
      add('w', block.values, columns * k, i);
      sections.back().matrix = &block;
      add('s', block.scales, columns, i);
      add('z', block.sums, columns, i);
      add('m', block.multiplier, k, i);
      add('a', block.addend, k, i);
    }
  }

 private:
  template <typename T>
  void add(char part, WeightArray<T>& array, std::size_t size, std::size_t block = 0) const {
    const auto index = slot.index + (static_cast<std::uint32_t>(block) << 16);
    sections.push_back({with_part(slot.kind, part), index, size * sizeof(T), &array});
  }
};

// The sizes of what a slot fills.
struct SlotSizes {
  const TensorSlot& slot;

  void operator()(const IntoEmbedding& into) const {
    into.table->rows = static_cast<std::size_t>(slot.shape[0]);
    into.table->width = static_cast<std::size_t>(slot.shape[1]);
    if (into.precision == Precision::kInt8) into.table->dtype = DType::kI8;
  }
  void operator()(const IntoMatrix& into) const {
    PackedMatrix& matrix = *into.matrix;
    matrix.precision = into.precision;
    matrix.panels = into.panels;
    matrix.k = into.k;
    if (into.precision != Precision::kInt8) return;
    matrix.quantized.resize(into.blocks());
    for (std::size_t i = 0; i < into.blocks(); ++i) {
      matrix.quantized[i].panels = into.panels;
      matrix.quantized[i].k = round_up(into.block_inputs(i), kDepthS8);
    }
  }
  void operator()(const IntoRows&) const {}
  void operator()(const IntoVector&) const {}
};

template <typename T>
bool is_finite(const WeightArray<T>* array) {
  if constexpr (std::is_same_v<T, float>) return all_finite(array->data(), array->size());
  return true;
}

}  // namespace

std::span<const std::byte> WeightSection::content() const {
  return std::visit([](const auto* numbers) { return std::as_bytes(numbers->span()); }, array);
}

std::vector<WeightSection> weight_sections(const EncoderConfig& config, Weights& weights) {
  std::vector<WeightSection> sections;
  for (const TensorSlot& slot : tensor_slots(config, weights.precision, weights)) {
    std::visit(SlotSections{slot, sections}, slot.target);
  }
  return sections;
}

std::size_t packed_bytes(const EncoderConfig& config, Precision precision) {
  Weights weights;
  weights.precision = precision;
  std::size_t bytes = 0;
  for (const WeightSection& section : weight_sections(config, weights)) bytes += section.bytes;
  const std::size_t mapped = config.vocab_size * config.hidden_size * sizeof(float);
  return precision == Precision::kInt8 ? bytes : bytes - mapped;
}

void view_weights(const Bundle& bundle, const EncoderConfig& config, std::string_view source,
                  Weights& weights) {
  for (const TensorSlot& slot : tensor_slots(config, weights.precision, weights)) {
    std::visit(SlotSizes{slot}, slot.target);
  }
  for (const WeightSection& section : weight_sections(config, weights)) {
    const std::span<const std::byte> bytes = bundle.get(section.kind, section.index);
    if (bytes.size() != section.bytes) {
      fail(ErrorCode::kInvalidModel, source, ": ", section_name(section.kind, section.index),
           " has ", bytes.size(), " bytes, expected ", section.bytes,
           " by the configuration beside it; pack it anew");
    }
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment != 0) {
      fail(ErrorCode::kInternal, source, ": is in memory that is not aligned");
    }
    std::visit(
        [&]<typename T>(WeightArray<T>* array) {
          *array = WeightArray<T>(
              std::span(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)));
        },
        section.array);
  }
}

void verify_weights(const EncoderConfig& config, std::string_view source, Weights& weights) {
  for (const WeightSection& section : weight_sections(config, weights)) {
    bool sound = std::visit([](const auto* array) { return is_finite(array); }, section.array);
    const EmbeddingTable& word = weights.word;
    if (section.array == decltype(section.array)(&weights.word.values) && is_weight(word.dtype)) {
      sound = all_finite(word.dtype, word.values.data(), word.rows * word.width);
    }
    if (section.matrix != nullptr) sound = section.matrix->is_sound();
    if (sound) continue;
    fail(ErrorCode::kInvalidModel, source, ": ", section_name(section.kind, section.index),
         " has numbers that packing does not write (infinite, not a number, or above the kernels' "
         "limits); pack it anew");
  }
}

}  // namespace lambert
