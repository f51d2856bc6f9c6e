// Differential: every table of this CPU against the scalar reference, on calls drawn from the
// input.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "../tests/kernels/kernels_case.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using lambert::KernelCase;
  std::uint64_t seed = 0;
  std::memcpy(&seed, data, size < sizeof(seed) ? size : sizeof(seed));
  const lambert::Kernels& scalar = *lambert::find_kernels("scalar");
  for (const lambert::Kernels* table : lambert::all_kernels()) {
    if (!table->supported()) continue;
    KernelCase random(seed);
    const bool same = random.gemm_agrees(scalar, *table) &&
                      random.attention_agrees(scalar, *table, true) &&
                      random.attention_agrees(scalar, *table, false) &&
                      random.layer_norm_agrees(scalar, *table) &&
                      random.widen_agrees(scalar, *table) && random.int8_agrees(scalar, *table);
    if (!same) std::abort();
  }
  return 0;
}
