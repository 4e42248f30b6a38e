// The legend of shape suffixes. A tensor's name ends with the letters of its dimensions, outermost first: score_BTS.
//
//   B  batch               T  text tokens          S  spectrogram frames    N  samples
//   C  channels            H  hidden channels      F  linear bins           M  mel bins
//
// In code that serves tokens, frames and samples alike (convolutions, random draws) the last dimension is written T.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/check.h"

namespace valetts {

// The mask of valid positions: mask[b,0,t] = 1 if t < lengths[b] else 0.
// lengths_B  integer [B];  returns [B,1,size] of the given type on the lengths' device.
at::Tensor length_mask_B1T(const at::Tensor& lengths_B, int64_t size, at::ScalarType type = at::kFloat);

}  // namespace valetts
