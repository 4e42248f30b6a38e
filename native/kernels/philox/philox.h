// Random draws where the step runs: the values of core/random.h, bit for bit, made on a CUDA device from a key that lies
// there. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <ATen/core/Tensor.h>

#include "philox/philox_raw.h"

namespace valetts {

// float32 [B, channels, time] on the key's device.
//   key_2             int32 [2] (the bits of the step's key), ids_B int64 [B]; both on one device, contiguous
//   drop_probability  of keep masks, in [0,1)
// On the host the plain loops run: for checks; core/random.h is the fast way there.
// Errors: INVALID_ARGUMENT for a wrong shape, type or device, or a stream or size out of range.
at::Tensor draw_BCT(DrawKind kind, const at::Tensor& key_2, uint32_t stream, const at::Tensor& ids_B, int64_t channels,
                    int64_t time, double drop_probability = 0.0);

}  // namespace valetts
