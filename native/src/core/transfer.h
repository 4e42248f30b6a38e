// How a batch reaches the device.
#pragma once

#include <ATen/core/Tensor.h>

namespace valetts {

// `host` on the device; itself where that is the host. On the fused GPU path it goes through pinned memory of libtorch's
// own, so that neither the step waits for the copy nor the caller's memory is read after the return.
at::Tensor uploaded(const at::Tensor& host, at::Device device);

}  // namespace valetts
