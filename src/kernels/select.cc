#include "kernels/tables.h"

namespace lambert {

namespace {

constexpr const Kernels* kTables[] = {
    &kScalarKernels,
#if defined(__x86_64__)
    &kAvx2Kernels,   &kAvxVnniKernels, &kAvx512Kernels, &kAvx512VnniKernels, &kAmxInt8Kernels,
#elif defined(__aarch64__)
    &kNeonKernels,
    &kNeonDotprodKernels,
#endif
};

}  // namespace

std::span<const Kernels* const> all_kernels() {
  return kTables;
}

const Kernels* find_kernels(std::string_view forced) {
  const Kernels* found = nullptr;
  for (const Kernels* table : kTables) {
    if ((forced.empty() || forced == table->name) && table->supported()) found = table;
  }
  return found;
}

}  // namespace lambert
