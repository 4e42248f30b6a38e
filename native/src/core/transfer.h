// How a batch reaches the device, and what a step has to say the host.
#pragma once

#include <ATen/core/Tensor.h>

namespace valetts {

// `host` on the device; itself where that is the host. On the fused GPU path it goes through pinned memory of libtorch's
// own, so that neither the step waits for the copy nor the caller's memory is read after the return.
at::Tensor uploaded(const at::Tensor& host, at::Device device);

// The way back of a step's metrics, which waits for the device; on the CPU too it is a copy, so that tests see each.
at::Tensor downloaded(const at::Tensor& values);

}  // namespace valetts
