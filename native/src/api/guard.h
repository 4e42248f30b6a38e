// The only place where exceptions become statuses.
#pragma once

#include <string>

#include "valetts/valetts.h"

namespace valetts {

// Translates the exception being handled; call from a catch block.
vt_status status_of_current_exception() noexcept;

// Marks a facade call as running. If the process exits meanwhile (another thread called exit, or a signal ended the
// JVM), the exit takes effect at once instead of destroying libtorch's globals under the running call.
class RunningCall {
 public:
  RunningCall() noexcept;
  ~RunningCall();
  RunningCall(const RunningCall&) = delete;
  RunningCall& operator=(const RunningCall&) = delete;
};

// Runs a facade body. Nothing leaves it.
template <typename Body>
vt_status guarded(Body&& body) noexcept {
  const RunningCall running;
  try {
    body();
    return VT_OK;
  } catch (...) {
    return status_of_current_exception();
  }
}

}  // namespace valetts
