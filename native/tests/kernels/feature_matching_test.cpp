#include "feature_matching/feature_matching.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/path.h"
#include "core/random.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

using Maps = std::vector<at::Tensor>;

Maps maps_of(int64_t batch, int64_t time, int64_t seed, at::ScalarType type = at::kFloat) {
  std::vector<int64_t> ids;
  for (int64_t b = 0; b < batch; ++b) ids.push_back(b);
  Maps maps;
  for (const int64_t channels : {1, 3, 40}) {
    maps.push_back(Draws(seed, channels).normal_BCT(0, ids, channels, time).to(type));
  }
  maps.push_back(maps.front().unsqueeze(1).clone());
  return maps;
}

// The distance, then the gradient of each generated map, for a loss of 3 x distance.
Maps with_gradients(const Maps& generated, const Maps& real) {
  Maps leaves;
  for (const at::Tensor& map : generated) leaves.push_back(map.detach().clone().set_requires_grad(true));
  const at::Tensor distance = feature_distance(leaves, real);
  Maps out{distance.detach()};
  for (const at::Tensor& gradient : torch::autograd::grad({3.0 * distance}, leaves)) out.push_back(gradient);
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("kernels/feature_matching");

TEST_CASE("distance and gradients equal libtorch's, the same twice and with one and two threads") {
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      CAPTURE(batch);
      CAPTURE(time);
      const Maps generated = maps_of(batch, time, 1);
      Maps real = maps_of(batch, time, 2);
      real.back().copy_(generated.back());  // where they are equal, the gradient is 0
      const int threads = at::get_num_threads();
      at::set_num_threads(1);
      const Maps one = with_gradients(generated, real);
      at::set_num_threads(2);
      const Maps two = with_gradients(generated, real);
      at::set_num_threads(threads);
      const PlainPathScope scope(true);
      const Maps plain = with_gradients(generated, real);
      for (size_t i = 0; i < plain.size(); ++i) {
        CAPTURE(i);
        VT_CHECK_CLOSE(one[i], plain[i], 2e-6);
        VT_CHECK_SAME_BITS(one[i], two[i]);
      }
      VT_CHECK_SAME_BITS(generated.front(), maps_of(batch, time, 1).front());
    }
  }
}

TEST_CASE("the gradient in float64 agrees with differences") {
  Maps generated = maps_of(2, 5, 1, at::kDouble);
  const Maps real = maps_of(2, 5, 2, at::kDouble);
  const Maps all = with_gradients(generated, real);
  for (size_t map = 0; map < generated.size(); ++map) {
    auto* values = generated[map].data_ptr<double>();
    for (int64_t i = 0; i < generated[map].numel(); i += 4) {
      const double before = values[i];
      values[i] = before + 1e-6;
      const double above = feature_distance(generated, real).item<double>();
      values[i] = before - 1e-6;
      const double below = feature_distance(generated, real).item<double>();
      values[i] = before;
      CHECK(std::abs(3.0 * (above - below) / 2e-6 - all[map + 1].contiguous().view({-1})[i].item<double>()) < 1e-6);
    }
  }
}

TEST_CASE("a value that is no number spoils the distance; views and half precision are served") {
  Maps generated = maps_of(2, 9, 1);
  const Maps real = maps_of(2, 9, 2);
  const at::Tensor distance = feature_distance(generated, real);
  Maps turned;
  for (const at::Tensor& map : generated) turned.push_back(map.transpose(0, -1).contiguous().transpose(0, -1));
  VT_CHECK_CLOSE(feature_distance(turned, real), distance, 1e-6);
  Maps half, half_real;
  for (size_t i = 0; i < real.size(); ++i) {
    half.push_back(generated[i].to(at::kBFloat16));
    half_real.push_back(real[i].to(at::kBFloat16));
  }
  VT_CHECK_CLOSE(feature_distance(half, half_real), distance, 2e-2);
  generated[1].view({-1})[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(feature_distance(generated, real).item<float>()));
}

TEST_CASE("maps that do not match are refused") {
  CHECK_THROWS_AS(feature_distance({}, {}), Error);
  CHECK_THROWS_AS(feature_distance({at::ones({2})}, {}), Error);
  CHECK_THROWS_AS(feature_distance({at::ones({2})}, {at::ones({3})}), Error);
  CHECK_THROWS_AS(feature_distance({at::ones({0})}, {at::ones({0})}), Error);
}

TEST_SUITE_END();

}  // namespace valetts
