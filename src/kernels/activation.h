// Activation functions of encoder feed-forward blocks, by the names that transformers gives them.
#pragma once

namespace lambert {

enum class Activation {
  kIdentity,   // none
  kGelu,       // x/2 (1 + erf(x / sqrt 2))
  kGeluTanh,   // "gelu_new", "gelu_fast", "gelu_pytorch_tanh":
               // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
  kQuickGelu,  // x sigmoid(1.702 x)
  kRelu,       // max(x, 0)
  kSilu,       // "silu", "swish": x sigmoid(x)
  kTanh,
};

}  // namespace lambert
