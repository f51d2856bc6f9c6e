// The engines that the tests of this folder ask.
#pragma once

#include "lambert/lambert.h"

namespace lambert::test {

// The default model: answers that mean something.
inline const Answerer& engine() {
  static const Answerer instance(
      {.model = LAMBERT_SOURCE_DIR "/models/distilbert-minilm-squad", .threads = 2});
  return instance;
}

// A tiny random one, for what does not depend on the answer.
inline const Answerer& tiny_engine() {
  static const Answerer instance(
      {.model = LAMBERT_SOURCE_DIR "/tests/model/data/tiny/distilbert_gelu", .threads = 1});
  return instance;
}

}  // namespace lambert::test
