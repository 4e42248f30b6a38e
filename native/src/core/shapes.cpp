#include "core/shapes.h"

#include <ATen/ATen.h>

namespace valetts {

at::Tensor length_mask_B1T(const at::Tensor& lengths_B, int64_t size, at::ScalarType type) {
  VT_CHECK_ARG(lengths_B.dim() == 1, "lengths has ", lengths_B.dim(), " dimensions, expected 1");
  const at::Tensor positions_T = at::arange(size, lengths_B.options());
  return positions_T.unsqueeze(0).lt(lengths_B.unsqueeze(1)).unsqueeze(1).to(type);
}

}  // namespace valetts
