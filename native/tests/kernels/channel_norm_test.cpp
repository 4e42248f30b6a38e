#include "channel_norm/channel_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>

#include "channel_norm/channel_norm_raw.h"
#include "core/check.h"
#include "core/path.h"
#include "core/random.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

at::Tensor normal(int64_t batch, int64_t channels, int64_t time, int64_t seed) {
  std::vector<int64_t> ids;
  for (int64_t b = 0; b < batch; ++b) ids.push_back(b);
  return Draws(seed, 1).normal_BCT(0, ids, channels, time);
}

struct Inputs {
  at::Tensor x, gamma, beta, mask;
};

Inputs inputs_of(int64_t batch, int64_t channels, int64_t time, bool masked) {
  return {normal(batch, channels, time, time + 1) * 3.0 + 1.5, normal(1, channels, 1, 2).view({channels}) + 1.0,
          normal(1, channels, 1, 3).view({channels}),
          masked ? normal(batch, 1, time, 4).gt(-0.5).to(at::kFloat) : at::Tensor()};
}

// The result, then the gradients of x, gamma and beta for fixed weights of the result's elements.
std::vector<at::Tensor> with_gradients(const Inputs& in) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& input : {in.x, in.gamma, in.beta}) leaves.push_back(input.detach().clone().set_requires_grad(true));
  const at::Tensor y = channel_norm(leaves[0], leaves[1], leaves[2], in.mask);
  const at::Tensor weights = at::cos(at::arange(y.numel(), y.options().requires_grad(false))).view(y.sizes());
  std::vector<at::Tensor> out{y.detach()};
  for (const at::Tensor& gradient : torch::autograd::grad({(y * weights).sum()}, leaves)) out.push_back(gradient);
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("kernels/channel_norm");

TEST_CASE("result and gradients equal libtorch's layer norm, the same bits with one and two threads") {
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 7, 8, 9, 31, 32, 33, 47, 129, 257, 1134}) {
      for (const int64_t channels : {1, 2, 40, 192}) {
        if (batch * time * channels > 1000000) continue;
        for (const bool masked : {false, true}) {
          CAPTURE(batch);
          CAPTURE(time);
          CAPTURE(channels);
          CAPTURE(masked);
          const Inputs in = inputs_of(batch, channels, time, masked);
          const at::Tensor before = in.x.clone();
          const int threads = at::get_num_threads();
          at::set_num_threads(1);
          const std::vector<at::Tensor> one = with_gradients(in);
          at::set_num_threads(2);
          const std::vector<at::Tensor> two = with_gradients(in);
          at::set_num_threads(threads);
          const PlainPathScope scope(true);
          const std::vector<at::Tensor> plain = with_gradients(in);
          for (size_t i = 0; i < plain.size(); ++i) {
            CAPTURE(i);
            // With one or two channels the gradient of x is what rounding leaves of 0, and one channel's result only beta.
            // The gradients of gamma and beta are sums over up to 18,000 columns of either sign.
            const double floor = channels < 3 ? 1e4 : i < 2 ? 1e-3 : 1.0;
            CHECK_EQ(testing::relative_difference(one[i], plain[i], i < 2 ? 4e-6 : 2e-5, floor), std::string());
            VT_CHECK_SAME_BITS(one[i], two[i]);
          }
          VT_CHECK_SAME_BITS(in.x, before);
        }
      }
    }
  }
}

TEST_CASE("gradients agree with differences in float64, masked and not") {
  for (const bool masked : {false, true}) {
    Inputs in = inputs_of(2, 5, 9, masked);
    std::vector<at::Tensor> given{in.x.to(at::kDouble), in.gamma.to(at::kDouble), in.beta.to(at::kDouble)};
    const at::Tensor mask = masked ? in.mask.to(at::kDouble) : at::Tensor();
    const at::Tensor weights = at::cos(at::arange(90, at::kDouble)).view({2, 5, 9});
    const auto weighted = [&] { return (channel_norm(given[0], given[1], given[2], mask) * weights).sum().item<double>(); };
    const std::vector<at::Tensor> of_float = with_gradients(in);
    const std::vector<at::Tensor> of_double = with_gradients({given[0], given[1], given[2], mask});
    constexpr double kStep = 1e-6;
    for (size_t i = 0; i < given.size(); ++i) {
      auto* values = given[i].data_ptr<double>();
      const at::Tensor flat = of_double[i + 1].contiguous().view({-1}), single = of_float[i + 1].contiguous().view({-1});
      for (int64_t element = 0; element < given[i].numel(); element += 2) {
        const double before = values[element];
        values[element] = before + kStep;
        const double above = weighted();
        values[element] = before - kStep;
        const double below = weighted();
        values[element] = before;
        const double expected = (above - below) / (2 * kStep);
        CHECK(std::abs(expected - flat[element].item<double>()) < 1e-7);
        CHECK(std::abs(expected - single[element].item<double>()) < 1e-5);
      }
    }
  }
}

TEST_CASE("fast columns agree with the plain loops that the CUDA kernel is checked against") {
  constexpr int64_t kChannels = 37;
  for (const int64_t time : {8, 31, 32, 33, 129, 1134}) {
    const Inputs in = inputs_of(1, kChannels, time, true);
    const at::Tensor grad = normal(1, kChannels, time, 9);
    std::vector<std::vector<at::Tensor>> results;
    for (const bool fast : {false, true}) {
      std::vector<at::Tensor> out{at::empty({kChannels, time}), at::empty({time}),        at::empty({time}),
                                  at::empty({kChannels, time}), at::zeros({kChannels}), at::zeros({kChannels})};
      std::vector<float*> to;
      for (at::Tensor& tensor : out) to.push_back(tensor.data_ptr<float>());
      const auto* x = in.x.const_data_ptr<float>();
      const auto* gamma = in.gamma.const_data_ptr<float>();
      const auto* mask = in.mask.const_data_ptr<float>();
      const auto forward = fast ? channel_norm_columns_fast : channel_norm_columns;
      forward(kChannels, time, 0, time, x, gamma, in.beta.const_data_ptr<float>(), mask, to[0], to[1], to[2]);
      const auto* from = grad.const_data_ptr<float>();
      if (fast) {
        std::vector<float> work(2 * kChannels * kChannelNormLanes);
        channel_norm_backward_columns_fast(kChannels, time, 0, time, x, gamma, mask, to[1], to[2], from, to[3], to[4], to[5],
                                           work.data());
      } else {
        channel_norm_backward_columns(kChannels, time, 0, time, x, gamma, mask, to[1], to[2], from, to[3], to[4], to[5]);
      }
      results.push_back(out);
    }
    for (size_t i = 0; i < results[0].size(); ++i) {
      CAPTURE(i);
      VT_CHECK_CLOSE(results[1][i], results[0][i], 4e-6);
    }
  }
}

TEST_CASE("a value that is no number spoils its column alone; equal channels give beta") {
  Inputs in = inputs_of(2, 6, 40, false);
  const at::Tensor clean = channel_norm(in.x, in.gamma, in.beta, {});
  in.x[1][2][35] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor spoilt = channel_norm(in.x, in.gamma, in.beta, {});
  CHECK(at::isnan(spoilt).sum().item<int64_t>() == 6);
  CHECK(at::isnan(spoilt[1].select(1, 35)).all().item<bool>());
  VT_CHECK_SAME_BITS(spoilt[0], clean[0]);
  const at::Tensor flat = channel_norm(at::full({1, 6, 9}, 7.0), in.gamma, in.beta, {});
  VT_CHECK_CLOSE(flat, in.beta.view({1, 6, 1}).expand({1, 6, 9}), 1e-6);
}

TEST_CASE("other layouts and types are served, and so is an item without columns") {
  const Inputs in = inputs_of(3, 24, 50, true);
  const at::Tensor expected = channel_norm(in.x, in.gamma, in.beta, in.mask);
  VT_CHECK_SAME_BITS(channel_norm(in.x.transpose(1, 2).contiguous().transpose(1, 2), in.gamma, in.beta, in.mask), expected);
  VT_CHECK_CLOSE(channel_norm(in.x.to(at::kBFloat16), in.gamma, in.beta, in.mask), expected, 2e-2);
  const at::Tensor as_double = channel_norm(in.x.to(at::kDouble), in.gamma.to(at::kDouble), in.beta.to(at::kDouble), {});
  CHECK((as_double.scalar_type() == at::kDouble));
  const std::vector<at::Tensor> none = with_gradients({at::zeros({2, 24, 0}), in.gamma, in.beta, at::Tensor()});
  CHECK(none[0].numel() == 0);
  VT_CHECK_SAME_BITS(none[2], at::zeros({24}));
}

TEST_CASE("wrong shapes are refused") {
  const at::Tensor x = at::zeros({2, 3, 4}), gamma = at::ones({3});
  CHECK_THROWS_AS(channel_norm(at::zeros({3, 4}), gamma, gamma, {}), Error);
  CHECK_THROWS_AS(channel_norm(at::zeros({2, 0, 4}), at::ones({0}), at::ones({0}), {}), Error);
  CHECK_THROWS_AS(channel_norm(x, at::ones({4}), gamma, {}), Error);
  CHECK_THROWS_AS(channel_norm(x, gamma, at::ones({4}), {}), Error);
  CHECK_THROWS_AS(channel_norm(x, gamma, gamma, at::ones({2, 1, 5})), Error);
  CHECK_THROWS_AS(channel_norm(x, gamma, gamma, at::ones({2, 3, 4})), Error);
}

TEST_SUITE_END();

}  // namespace valetts
