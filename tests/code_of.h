// Which error a call ends with.
#pragma once

#include <gtest/gtest.h>

#include "lambert/lambert.h"

namespace lambert {

// The code of the Error that `call()` throws; the test fails where it throws none, or one without
// a message.
template <typename Call>
ErrorCode code_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_STRNE(error.what(), "");
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

}  // namespace lambert
