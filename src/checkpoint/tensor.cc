#include "checkpoint/tensor.h"

namespace lambert {

std::string_view dtype_name(DType dtype) {
  switch (dtype) {
    case DType::kF32: return "F32";
    case DType::kF16: return "F16";
    case DType::kBF16: return "BF16";
    case DType::kI64: return "I64";
  }
  return "?";
}

}  // namespace lambert
