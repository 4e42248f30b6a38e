// What the kernels' tests share: draws, results with the gradients of all inputs, and their comparison with the plain path.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <functional>
#include <vector>

#include "core/path.h"
#include "core/random.h"
#include "tensor_checks.h"

namespace valetts::testing {

inline at::Tensor normal(int64_t batch, int64_t channels, int64_t time, int64_t seed, double scale = 1.0) {
  std::vector<int64_t> ids;
  for (int64_t b = 0; b < batch; ++b) ids.push_back(b);
  return Draws(seed, 1).normal_BCT(0, ids, channels, time) * scale;
}

using Call = std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>&)>;

// Of the outputs' elements, each with a weight of its own.
inline at::Tensor weighted_sum(const std::vector<at::Tensor>& out) {
  at::Tensor total;
  for (size_t i = 0; i < out.size(); ++i) {
    const at::Tensor weights =
        at::cos(at::arange(out[i].numel(), out[i].options().requires_grad(false)) + static_cast<double>(i)).view(out[i].sizes());
    const at::Tensor sum = (out[i] * weights).sum();
    total = total.defined() ? total + sum : sum;
  }
  return total;
}

// What `call` gives for copies of the inputs, and the gradients of all inputs.
inline std::vector<at::Tensor> with_gradients(const Call& call, const std::vector<at::Tensor>& inputs) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& input : inputs) leaves.push_back(input.detach().clone().set_requires_grad(true));
  std::vector<at::Tensor> out = call(leaves);
  const std::vector<at::Tensor> gradients = torch::autograd::grad({weighted_sum(out)}, leaves);
  for (at::Tensor& result : out) result = result.detach();
  out.insert(out.end(), gradients.begin(), gradients.end());
  return out;
}

// The plain path within `tolerance` of each result's largest value, 0: the same bits; and two runs the same bits.
inline void check_against_plain(const Call& call, const std::vector<at::Tensor>& inputs, double tolerance,
                                double floor = 1e-30) {
  const std::vector<at::Tensor> fused = with_gradients(call, inputs);
  const std::vector<at::Tensor> again = with_gradients(call, inputs);
  const PlainPathScope scope(true);
  const std::vector<at::Tensor> plain = with_gradients(call, inputs);
  REQUIRE(fused.size() == plain.size());
  for (size_t i = 0; i < fused.size(); ++i) {
    CAPTURE(i);
    CHECK_EQ(relative_difference(fused[i], plain[i], tolerance, floor), std::string());
    VT_CHECK_SAME_BITS(fused[i], again[i]);
  }
}

// Gradients of float64 inputs against central differences.
inline void check_differences(const Call& call, std::vector<at::Tensor> inputs, double tolerance = 1e-8) {
  for (at::Tensor& input : inputs) input = input.to(at::kDouble).contiguous();
  const std::vector<at::Tensor> all = with_gradients(call, inputs);
  const std::vector<at::Tensor> gradients(all.end() - static_cast<std::ptrdiff_t>(inputs.size()), all.end());
  const auto total = [&] {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> copies;
    for (const at::Tensor& input : inputs) copies.push_back(input.clone());
    return weighted_sum(call(copies)).item<double>();
  };
  constexpr double kStep = 1e-5;
  for (size_t i = 0; i < inputs.size(); ++i) {
    auto* values = inputs[i].data_ptr<double>();
    const at::Tensor flat = gradients[i].contiguous().view({-1});
    for (int64_t element = 0; element < inputs[i].numel(); element += 3) {
      const double before = values[element];
      values[element] = before + kStep;
      const double above = total();
      values[element] = before - kStep;
      const double below = total();
      values[element] = before;
      CHECK(std::abs((above - below) / (2 * kStep) - flat[element].item<double>()) < tolerance);
    }
  }
}

// Runs on one thread and on two: the same bits.
inline void check_threads(const Call& call, const std::vector<at::Tensor>& inputs) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const std::vector<at::Tensor> one = with_gradients(call, inputs);
  at::set_num_threads(2);
  const std::vector<at::Tensor> two = with_gradients(call, inputs);
  at::set_num_threads(threads);
  for (size_t i = 0; i < one.size(); ++i) VT_CHECK_SAME_BITS(two[i], one[i]);
}

}  // namespace valetts::testing
