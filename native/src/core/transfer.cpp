#include "core/transfer.h"

#include <ATen/ATen.h>

#include "core/path.h"

namespace valetts {

at::Tensor uploaded(const at::Tensor& host, at::Device device) {
  if (!device.is_cuda() || gpu_path() == GpuPath::kPlain) return host.to(device);
  const at::Tensor pinned = at::empty(host.sizes(), host.options().pinned_memory(true)).copy_(host);
  return pinned.to(device, /*non_blocking=*/true);
}

at::Tensor downloaded(const at::Tensor& values) {
  return values.to(at::kCPU, values.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace valetts
