// The only place where exceptions become statuses.
#pragma once

#include <string>

#include "valetts/valetts.h"

namespace valetts {

// Translates the exception being handled; call from a catch block.
vt_status status_of_current_exception() noexcept;

// Runs a facade body. Nothing leaves it.
template <typename Body>
vt_status guarded(Body&& body) noexcept {
  try {
    body();
    return VT_OK;
  } catch (...) {
    return status_of_current_exception();
  }
}

}  // namespace valetts
