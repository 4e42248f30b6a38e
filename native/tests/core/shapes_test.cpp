#include "core/shapes.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "tensor_checks.h"

namespace valetts {

TEST_SUITE_BEGIN("core/shapes");

TEST_CASE("mask is one on valid positions only") {
  const at::Tensor lengths_B = at::tensor({3, 0, 5}, at::kInt);
  const at::Tensor expected =
      at::tensor({1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1}, at::kFloat).view({3, 1, 5});
  VT_CHECK_SAME_BITS(length_mask_B1T(lengths_B, 5), expected);
}

TEST_SUITE_END();

}  // namespace valetts
