// AMX in bytes: Sapphire Rapids and later servers. Only the product of bytes is its own; the rest
// is that of avx512_vnni.cc, whose bytes have the same zero point.
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernels/math_constants.h"
#include "kernels/tables.h"

namespace lambert {

namespace {

using namespace math;

constexpr int kZeroPoint = 128;  // tdpbusd multiplies unsigned by signed bytes

#include "kernels/avx512_inl.h"
#include "kernels/simd_inl.h"
#include "kernels/simd_s8_columns_inl.h"

constexpr Size kTileRows16 = 16;    // of the tallest tile
constexpr Size kTileBytes = 64;     // of a row of a tile: kDepthS8 bytes of a, 16 columns of sums
constexpr Size kBlockColumns = 32;  // two tiles
constexpr Size kRowsBetween = 4;    // rows of the block before that are finished in a step

// How rows are cut into tiles of one height, so that one configuration serves a whole product: the
// last tile reaches back into the rows of the one before.
struct RowTiles {
  Size rows, blocks, height;

  explicit RowTiles(Size all)
      : rows(all),
        blocks((all + 2 * kTileRows16 - 1) / (2 * kTileRows16)),
        height(all <= kTileRows16 ? all : (all + 2 * blocks - 1) / (2 * blocks)) {}

  bool single() const { return rows == height; }
  Size first_row(Size tile) const {
    return tile * height < rows - height ? tile * height : rows - height;
  }
};

// Operand of ldtilecfg. Tiles 0 to 3 are sums, 4 and 5 rows of a, 6 and 7 panels of b.
struct alignas(64) TileConfig {
  unsigned char palette = 1, start_row = 0, reserved[14] = {};
  unsigned short row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  unsigned char rows[16] = {0, 0, 0, 0, 0, 0, 16, 16};

  explicit TileConfig(Size height) {
    for (int i = 0; i < 6; ++i) rows[i] = static_cast<unsigned char>(height);
  }
};

// The sums of one block of two by two tiles, which become floats a few rows at a time between the
// steps of the block that follows: a tdpbusd takes 16 cycles and leaves the vector units to others.
class Outcome {
 public:
  Outcome(const GemmS8& g, ActivateS8 activate) : g_(g), activate_(activate) {}

  // To be filled: the sum of row `origin + i`, column `column + j` at i * kBlockColumns + j.
  int* sums() { return sums_; }

  // Sums of rows [row, end) and `columns` columns are there.
  void begin(Size origin, Size row, Size end, Size column, Size columns) {
    origin_ = origin;
    row_ = row;
    end_ = end;
    column_ = column;
    columns_ = columns;
  }

  // Stores c of up to `most` more rows.
  void put(Size most) {
    const Size rows = end_ - row_ < most ? end_ - row_ : most;
    if (rows == 0) return;
    const int* from = sums_ + (row_ - origin_) * kBlockColumns;
    for (Size j = 0; j < columns_; j += 16) {
      const ColumnsS8 columns(g_, column_ + j);
      for (Size i = 0; i < rows; ++i) columns.put(row_ + i, integers(from + i * kBlockColumns + j));
    }
    if (activate_ != nullptr) activate_(g_, row_, rows, column_, columns_);
    row_ += rows;
  }

 private:
  const GemmS8& g_;
  ActivateS8 activate_;
  Size origin_ = 0, row_ = 0, end_ = 0, column_ = 0, columns_ = 0;
  alignas(64) int sums_[2 * kTileRows16 * kBlockColumns];
};

// Where the sums of two panels start: -kZeroPoint times those of their weights.
struct FirstSums {
  alignas(64) int values[kBlockColumns];

  FirstSums(const int* b_sums, Size columns) {
    for (Size j = 0; j < columns; ++j) {  // unsigned: sums of a damaged file may overflow
      values[j] = static_cast<int>(0U - static_cast<unsigned>(kZeroPoint) *
                                            static_cast<unsigned>(b_sums[j]));
    }
    asm volatile("" : : : "memory");  // the loads of tiles do not say that they read memory
  }
};

// One block: Rows x Panels tiles over all of k.
template <int Rows, int Panels>
void multiply_block(const GemmS8& g, const FirstSums& first, const unsigned char* upper,
                    const unsigned char* lower, const signed char* b, Size lower_offset,
                    const signed char* soon, Size soon_step, Outcome& outcome) {
  const int* const left = first.values;
  const int* const right = first.values + 16;
  _tile_loadd(0, left, 0);  // the same row over and over
  if constexpr (Panels == 2) _tile_loadd(1, right, 0);
  if constexpr (Rows == 2) _tile_loadd(2, left, 0);
  if constexpr (Rows == 2 && Panels == 2) _tile_loadd(3, right, 0);
  const signed char* const next_b = b + 16 * g.k;
  for (Size k = 0; k < g.k; k += kDepthS8) {
    _tile_loadd(6, b + k * 16, kTileBytes);
    _tile_loadd(4, upper + k, g.a_stride);
    _tile_dpbusd(0, 4, 6);
    if constexpr (Panels == 2) {
      _tile_loadd(7, next_b + k * 16, kTileBytes);
      _tile_dpbusd(1, 4, 7);
    }
    if constexpr (Rows == 2) {
      _tile_loadd(5, lower + k, g.a_stride);
      _tile_dpbusd(2, 5, 6);
      if constexpr (Panels == 2) _tile_dpbusd(3, 5, 7);
    }
    for (Size i = 0; i < soon_step; i += kTileBytes) __builtin_prefetch(soon + i, 0, 2);
    soon += soon_step;
    outcome.put(kRowsBetween);
  }
  outcome.put(2 * kTileRows16);
  int* const sums = outcome.sums();
  constexpr Size kStride = kBlockColumns * sizeof(int);
  _tile_stored(0, sums, kStride);
  if constexpr (Panels == 2) _tile_stored(1, sums + 16, kStride);
  if constexpr (Rows == 2) _tile_stored(2, sums + lower_offset, kStride);
  if constexpr (Rows == 2 && Panels == 2) _tile_stored(3, sums + lower_offset + 16, kStride);
}

template <int Panels>
void multiply_panels(const GemmS8& g, const RowTiles& tiles, Size panel, Outcome& outcome) {
  const Size column = panel * 16;
  const FirstSums first(g.b_sums + column, Panels * 16);
  const signed char* const b = g.b + column * g.k;
  // Every block brings its share of the panels that come next into the second-level cache.
  const Size lines = (Panels * 16 + tiles.blocks - 1) / tiles.blocks;
  const Size soon_step = lines * kTileBytes;
  const signed char* soon = b + Panels * 16 * g.k;
  for (Size i = 0; i < tiles.blocks; ++i) {
    const Size row = tiles.first_row(2 * i), next = tiles.first_row(2 * i + 1);
    const unsigned char* const upper = g.a + row * g.a_stride;
    const unsigned char* const lower = g.a + next * g.a_stride;
    const auto multiply = tiles.single() ? multiply_block<1, Panels> : multiply_block<2, Panels>;
    multiply(g, first, upper, lower, b, (next - row) * kBlockColumns, soon, soon_step, outcome);
    const Size end = (2 * i + 2) * tiles.height;
    outcome.begin(row, 2 * i * tiles.height, end < g.rows ? end : g.rows, column, Panels * 16);
    soon += soon_step * (g.k / kDepthS8);
  }
}

// Panels outermost: two, (k, 32) bytes, stay in the caches while all rows pass by.
void multiply_s8(const GemmS8& g, ActivateS8 activate) {
  if (g.rows == 0) return;
  const RowTiles tiles(g.rows);
  const TileConfig config(tiles.height);
  _tile_loadconfig(&config);
  Outcome outcome(g, activate);
  Size panel = 0;
  for (; panel + 2 <= g.panels; panel += 2) multiply_panels<2>(g, tiles, panel, outcome);
  for (; panel < g.panels; ++panel) multiply_panels<1>(g, tiles, panel, outcome);
  outcome.put(2 * kTileRows16);
  _tile_release();
}

constexpr const Kernels& kFloats = kAvx512Kernels;
#include "kernels/borrowed_f32_inl.h"

void attention_s8(const Attention& t) {
  kAvx512VnniKernels.attention_s8(t);
}
void quantize_s8(const QuantizeS8& q) {
  kAvx512VnniKernels.quantize_s8(q);
}

// Linux gives a process the state of tiles when it asks for it; threads made later have it too.
bool tiles_permitted() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

// A kernel that permits tiles has set them in XCR0.
bool supported() {
  constexpr unsigned kTileAndInt8 = 1U << 24U | 1U << 25U;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return kAvx512VnniKernels.supported() && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
         (d & kTileAndInt8) == kTileAndInt8 && tiles_permitted();
}

}  // namespace

const Kernels kAmxInt8Kernels = {"amx_int8",     supported, gemm_f32,   attention_f32, attention_s8,
                                 layer_norm_f32, widen_f16, kZeroPoint, quantize_s8,   gemm_s8};

}  // namespace lambert
