// Comparisons of tensors with a message that says where they differ.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace valetts::testing {

// Empty if max |actual - expected| <= tolerance * max(|expected|, floor), else what differs and where. NaN differs from
// everything.
std::string relative_difference(const at::Tensor& actual, const at::Tensor& expected, double tolerance,
                                double floor = 1e-30);
// Empty if shape, type and every byte agree.
std::string bit_difference(const at::Tensor& actual, const at::Tensor& expected);

}  // namespace valetts::testing

#define VT_CHECK_CLOSE(actual, expected, tolerance) \
  CHECK_EQ(::valetts::testing::relative_difference((actual), (expected), (tolerance)), std::string())
#define VT_CHECK_SAME_BITS(actual, expected) \
  CHECK_EQ(::valetts::testing::bit_difference((actual), (expected)), std::string())
