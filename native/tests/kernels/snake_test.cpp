#include "snake/snake.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/path.h"
#include "core/random.h"
#include "snake/snake_raw.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

using Tensors = std::vector<at::Tensor>;

at::Tensor normal(int64_t batch, int64_t channels, int64_t time, int64_t seed) {
  std::vector<int64_t> ids;
  for (int64_t b = 0; b < batch; ++b) ids.push_back(b);
  return Draws(seed, 1).normal_BCT(0, ids, channels, time);
}

// x, alpha and beta.
Tensors inputs_of(int64_t batch, int64_t channels, int64_t time, at::ScalarType type = at::kFloat) {
  return {normal(batch, channels, time, 1).mul(2.0).to(type), normal(1, 1, channels, 2).view({channels}).mul(0.7).to(type),
          normal(1, 1, channels, 3).view({channels}).mul(0.7).to(type)};
}

double loss_of(const Tensors& in) {
  const at::Tensor y = anti_aliased_snake(in[0], in[1], in[2]);
  return (y * at::cos(at::arange(y.numel(), y.options())).view(y.sizes())).sum().item<double>();
}

// The result, then the gradients of x, alpha and beta for weights cos(0), cos(1), ... of its elements.
Tensors with_gradients(const Tensors& in) {
  Tensors leaves;
  for (const at::Tensor& given : in) leaves.push_back(given.detach().clone().set_requires_grad(true));
  const at::Tensor y = anti_aliased_snake(leaves[0], leaves[1], leaves[2]);
  const at::Tensor weights = at::cos(at::arange(y.numel(), y.options().requires_grad(false))).view(y.sizes());
  Tensors out{y.detach()};
  for (const at::Tensor& gradient : torch::autograd::grad({(y * weights).sum()}, leaves)) out.push_back(gradient);
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("kernels/snake");

TEST_CASE("the filter keeps a constant, is even, and cuts at a quarter of the doubled rate") {
  const SnakeFilter filter = snake_filter();
  double sum = 0.0, at_zero_of_rate = 0.0;
  for (int i = 0; i < kSnakeTaps; ++i) {
    CHECK(filter.taps[i] == doctest::Approx(filter.taps[kSnakeTaps - 1 - i]));
    sum += filter.taps[i];
    at_zero_of_rate += filter.taps[i] * (i % 2 == 0 ? 1.0 : -1.0);
  }
  CHECK(sum == doctest::Approx(1.0).epsilon(1e-6));
  CHECK(std::abs(at_zero_of_rate) < 1e-6);
  double response = 0.0;  // at a quarter of the rate, where a half-band filter gives a half
  for (int i = 0; i < kSnakeTaps; ++i) response += filter.taps[i] * std::cos(M_PI / 2 * (i - (kSnakeTaps - 1) / 2.0));
  CHECK(response == doctest::Approx(0.5).epsilon(0.02));
}

TEST_CASE("values and gradients equal libtorch's, the same twice and with one and two threads") {
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      CAPTURE(batch);
      CAPTURE(time);
      const Tensors in = inputs_of(batch, 5, time);
      const at::Tensor before = in[0].clone();
      const int threads = at::get_num_threads();
      at::set_num_threads(1);
      const Tensors one = with_gradients(in);
      at::set_num_threads(2);
      const Tensors two = with_gradients(in);
      at::set_num_threads(threads);
      const PlainPathScope scope(true);
      const Tensors plain = with_gradients(in);
      for (size_t i = 0; i < plain.size(); ++i) {
        CAPTURE(i);
        // The gradients of alpha and beta are sums over up to 36,000 samples of either sign.
        CHECK_EQ(testing::relative_difference(one[i], plain[i], i < 2 ? 4e-6 : 2e-5, i < 2 ? 1.0 : 10.0), std::string());
        VT_CHECK_SAME_BITS(one[i], two[i]);
      }
      VT_CHECK_SAME_BITS(in[0], before);
    }
  }
}

TEST_CASE("gradients in float32 and float64 agree with differences in float64") {
  for (const int64_t time : {1, 4, 9}) {
    CAPTURE(time);
    Tensors in = inputs_of(2, 2, time, at::kDouble), narrow;
    for (const at::Tensor& given : in) narrow.push_back(given.to(at::kFloat));
    const Tensors of_double = with_gradients(in), of_float = with_gradients(narrow);
    for (size_t i = 0; i < in.size(); ++i) {
      auto* values = in[i].data_ptr<double>();
      const at::Tensor wide = of_double[i + 1].contiguous().view({-1}), single = of_float[i + 1].contiguous().view({-1});
      for (int64_t element = 0; element < in[i].numel(); ++element) {
        const double before = values[element];
        values[element] = before + 1e-6;
        const double above = loss_of(in);
        values[element] = before - 1e-6;
        const double below = loss_of(in);
        values[element] = before;
        const double expected = (above - below) / 2e-6;
        CHECK(std::abs(expected - wide[element].item<double>()) < 1e-6);
        CHECK(std::abs(expected - single[element].item<double>()) < 2e-5 * std::max(1.0, std::abs(expected)));
      }
    }
  }
}

TEST_CASE("fast rows agree with the plain loops that the CUDA kernel is checked against") {
  for (const int64_t time : {1, 2, 3, 31, 32, 33, 129, 1134}) {
    CAPTURE(time);
    const at::Tensor x = normal(1, 1, time, 1) * 3.0, grad = normal(1, 1, time, 2);
    Tensors results[2];
    for (const bool fast : {false, true}) {
      const at::Tensor y = at::empty({time}), grad_x = at::empty({time}), sums = at::empty({2});
      const auto *from = x.const_data_ptr<float>(), *weights = grad.const_data_ptr<float>();
      auto* to_sums = sums.data_ptr<float>();
      if (fast) {
        std::vector<float> work(static_cast<size_t>(snake_work_size(time)));
        snake_row_fast(snake_filter(), from, 0.4f, -0.3f, time, y.data_ptr<float>(), work.data());
        snake_backward_row_fast(snake_filter(), from, 0.4f, -0.3f, weights, time, grad_x.data_ptr<float>(), to_sums,
                                to_sums + 1, work.data());
      } else {
        snake_row(from, 0.4f, -0.3f, time, y.data_ptr<float>());
        snake_backward_row(from, 0.4f, -0.3f, weights, time, grad_x.data_ptr<float>(), to_sums, to_sums + 1);
      }
      results[fast ? 1 : 0] = {y, grad_x, sums};
    }
    for (size_t i = 0; i < results[0].size(); ++i) {
      CAPTURE(i);
      CHECK_EQ(testing::relative_difference(results[1][i], results[0][i], 4e-6, 10.0), std::string());
    }
  }
}

TEST_CASE("a constant stays one, a value that is no number spoils its surroundings alone") {
  const at::Tensor alpha = at::zeros({2}), beta = at::zeros({2});
  const at::Tensor flat = anti_aliased_snake(at::full({1, 2, 40}, 0.5), alpha, beta);
  VT_CHECK_CLOSE(flat, at::full({1, 2, 40}, 0.5 + std::pow(std::sin(0.5), 2)), 2e-6);
  at::Tensor x = normal(1, 2, 60, 4);
  const at::Tensor clean = anti_aliased_snake(x, alpha, beta);
  x[0][1][30] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor spoilt = anti_aliased_snake(x, alpha, beta);
  VT_CHECK_SAME_BITS(spoilt[0][0], clean[0][0]);
  CHECK(std::isnan(spoilt[0][1][30].item<float>()));
  VT_CHECK_SAME_BITS(spoilt[0][1].narrow(0, 0, 30 - kSnakeReach), clean[0][1].narrow(0, 0, 30 - kSnakeReach));
  VT_CHECK_SAME_BITS(spoilt[0][1].narrow(0, 31 + kSnakeReach, 20), clean[0][1].narrow(0, 31 + kSnakeReach, 20));
}

TEST_CASE("other layouts and types are served, and so is nothing; wrong shapes are refused") {
  const Tensors in = inputs_of(3, 4, 50);
  const at::Tensor expected = anti_aliased_snake(in[0], in[1], in[2]);
  const at::Tensor turned = in[0].transpose(1, 2).contiguous().transpose(1, 2);
  VT_CHECK_CLOSE(anti_aliased_snake(turned, in[1], in[2]), expected, 2e-6);
  CHECK((anti_aliased_snake(in[0].to(at::kDouble), in[1].to(at::kDouble), in[2].to(at::kDouble)).scalar_type() == at::kDouble));
  CHECK(anti_aliased_snake(at::zeros({3, 4, 0}), in[1], in[2]).numel() == 0);
  CHECK_THROWS_AS(anti_aliased_snake(in[0][0], in[1], in[2]), Error);
  CHECK_THROWS_AS(anti_aliased_snake(in[0], at::ones({3}), in[2]), Error);
  CHECK_THROWS_AS(anti_aliased_snake(in[0], in[1], at::ones({1, 4})), Error);
}

TEST_SUITE_END();

}  // namespace valetts
