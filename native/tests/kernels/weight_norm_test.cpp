#include "weight_norm/weight_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/path.h"
#include "core/random.h"
#include "model/layers.h"
#include "tensor_checks.h"
#include "weight_norm/weight_norm_raw.h"

namespace valetts {
namespace {

using Tensors = std::vector<at::Tensor>;

at::Tensor normal(at::IntArrayRef shape, int64_t seed) {
  const int64_t count = c10::multiply_integers(shape);
  return Draws(seed, 1).normal_BCT(0, {0}, 1, count).view(shape).clone();
}

struct Pairs {
  Tensors v;
  Tensors g;
};

// Directions of one, two, three and four dimensions, `columns` values in the longest rows.
Pairs pairs_of(int64_t rows, int64_t columns, int64_t seed, at::ScalarType type = at::kFloat) {
  const std::vector<std::vector<int64_t>> shapes{{rows, columns}, {1, 1, columns}, {rows, 3, 5, 1}, {2 * rows, columns, 2}, {rows, 1, 1}};
  Pairs out;
  for (size_t i = 0; i < shapes.size(); ++i) {
    std::vector<int64_t> gain_shape(shapes[i].size(), 1);
    gain_shape[0] = shapes[i][0];
    const at::Tensor v = normal(shapes[i], seed + static_cast<int64_t>(i)).to(type);
    out.v.push_back(v + 0.5 * v.sign());  // a row of one value near 0 magnifies rounding
    out.g.push_back(normal(gain_shape, seed + 100 + static_cast<int64_t>(i)).to(type));
  }
  return out;
}

// The weights, then the gradients of all directions and gains for weights cos(0), cos(1), ... of their elements.
Tensors with_gradients(const Pairs& pairs) {
  Pairs leaves;
  for (const at::Tensor& v : pairs.v) leaves.v.push_back(v.detach().clone().set_requires_grad(true));
  for (const at::Tensor& g : pairs.g) leaves.g.push_back(g.detach().clone().set_requires_grad(true));
  Tensors out = weight_norms(leaves.v, leaves.g), all = leaves.v;
  all.insert(all.end(), leaves.g.begin(), leaves.g.end());
  at::Tensor total;
  for (const at::Tensor& w : out) {
    const at::Tensor factors = at::cos(at::arange(w.numel(), w.options().requires_grad(false))).view(w.sizes());
    total = total.defined() ? total + (w * factors).sum() : (w * factors).sum();
  }
  for (at::Tensor& w : out) w = w.detach();
  for (const at::Tensor& gradient : torch::autograd::grad({total}, all)) out.push_back(gradient);
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("kernels/weight_norm");

TEST_CASE("weights and gradients equal libtorch's in float64, the same twice and with one and two threads") {
  for (const int64_t rows : {1, 16}) {
    for (const int64_t columns : {1, 2, 31, 32, 33, 129, 1134}) {
      CAPTURE(rows);
      CAPTURE(columns);
      const Pairs pairs = pairs_of(rows, columns, 3);
      const int threads = at::get_num_threads();
      at::set_num_threads(1);
      const Tensors one = with_gradients(pairs);
      at::set_num_threads(2);
      const Tensors two = with_gradients(pairs);
      at::set_num_threads(threads);
      const Tensors plain = with_gradients(pairs_of(rows, columns, 3, at::kDouble));
      REQUIRE(one.size() == plain.size());
      for (size_t i = 0; i < plain.size(); ++i) {
        CAPTURE(i);
        // A row of one value is its gain with a sign, and its direction's gradient what rounding leaves of 0.
        CHECK_EQ(testing::relative_difference(one[i].to(at::kDouble), plain[i], 4e-6, 1.0), std::string());
        VT_CHECK_SAME_BITS(one[i], two[i]);
      }
      VT_CHECK_SAME_BITS(pairs.v.front(), pairs_of(rows, columns, 3).v.front());
    }
  }
}

TEST_CASE("gradients agree with differences in float64") {
  const Pairs pairs = pairs_of(2, 3, 5, at::kDouble);
  Pairs single;
  for (size_t i = 0; i < pairs.v.size(); ++i) {
    single.v.push_back(pairs.v[i].to(at::kFloat));
    single.g.push_back(pairs.g[i].to(at::kFloat));
  }
  const Tensors of_float = with_gradients(single), of_double = with_gradients(pairs);
  const auto total = [&] {
    double sum = 0.0;
    for (const at::Tensor& w : weight_norms(pairs.v, pairs.g)) {
      sum += (w * at::cos(at::arange(w.numel(), at::kDouble)).view(w.sizes())).sum().item<double>();
    }
    return sum;
  };
  Tensors given = pairs.v;
  given.insert(given.end(), pairs.g.begin(), pairs.g.end());
  constexpr double kStep = 1e-6;
  for (size_t i = 0; i < given.size(); ++i) {
    auto* values = given[i].data_ptr<double>();
    const size_t at = pairs.v.size() + i;
    const at::Tensor wide = of_double[at].contiguous().view({-1}), narrow = of_float[at].contiguous().view({-1});
    for (int64_t element = 0; element < given[i].numel(); ++element) {
      const double before = values[element];
      values[element] = before + kStep;
      const double above = total();
      values[element] = before - kStep;
      const double below = total();
      values[element] = before;
      const double expected = (above - below) / (2 * kStep);
      CHECK(std::abs(expected - wide[element].item<double>()) < 1e-7);
      CHECK(std::abs(expected - narrow[element].item<double>()) < 1e-5 * std::max(1.0, std::abs(expected)));
    }
  }
}

TEST_CASE("fast rows agree with the plain loops that the CUDA kernel is checked against") {
  for (const int64_t columns : {1, 2, 31, 32, 33, 129, 1134}) {
    const at::Tensor v = normal({columns}, 1), grad = normal({columns}, 2);
    Tensors results[2];
    for (const bool fast : {false, true}) {
      const at::Tensor w = at::empty({columns}), grad_v = at::empty({columns}), norm = at::empty({1}), grad_g = at::empty({1});
      const auto* from = v.const_data_ptr<float>();
      (fast ? weight_norm_row_fast : weight_norm_row)(from, 0.7f, columns, w.data_ptr<float>(), norm.data_ptr<float>());
      (fast ? weight_norm_backward_row_fast : weight_norm_backward_row)(
          from, 0.7f, *norm.const_data_ptr<float>(), grad.const_data_ptr<float>(), columns, grad_v.data_ptr<float>(),
          grad_g.data_ptr<float>());
      results[fast ? 1 : 0] = {w, norm, grad_v, grad_g};
    }
    for (size_t i = 0; i < results[0].size(); ++i) {
      CAPTURE(i);
      CHECK_EQ(testing::relative_difference(results[1][i], results[0][i], 2e-6, 0.5), std::string());
    }
  }
}

TEST_CASE("a value that is no number spoils its row alone; a row of zeros is no number; a weight without use has no gradient") {
  Pairs pairs = pairs_of(16, 129, 3);
  const Tensors clean = weight_norms(pairs.v, pairs.g);
  pairs.v[0][2][77] = std::numeric_limits<float>::quiet_NaN();
  pairs.v[3][5].zero_();
  const Tensors spoilt = weight_norms(pairs.v, pairs.g);
  CHECK(at::isnan(spoilt[0][2]).all().item<bool>());
  CHECK(at::isnan(spoilt[0]).sum().item<int64_t>() == 129);
  CHECK(at::isnan(spoilt[3][5]).all().item<bool>());
  VT_CHECK_SAME_BITS(spoilt[1], clean[1]);
  const at::Tensor used = normal({4, 3}, 1).set_requires_grad(true), unused = normal({4, 3}, 2).set_requires_grad(true);
  const at::Tensor gain = at::ones({4, 1});
  const at::Tensor loss = weight_norms({used, unused}, {gain, gain}).front().sum();
  const Tensors gradients = torch::autograd::grad({loss}, {used, unused}, {}, {}, false, true);
  CHECK(gradients[0].defined());
  CHECK_FALSE(gradients[1].defined());
}

TEST_CASE("other layouts are served, and lists that do not match are refused") {
  const at::Tensor v = normal({6, 40}, 1), g = normal({6, 1}, 2);
  const at::Tensor turned = v.t().contiguous().t();
  VT_CHECK_CLOSE(weight_norms({turned}, {g}).front(), weight_norms({v}, {g}).front(), 2e-6);
  CHECK(weight_norms({}, {}).empty());
  CHECK_THROWS_AS(weight_norms({v}, {}), Error);
  CHECK_THROWS_AS(weight_norms({v}, {at::ones({5, 1})}), Error);
  CHECK_THROWS_AS(weight_norms({v}, {at::ones({6})}), Error);
  CHECK_THROWS_AS(weight_norms({v}, {at::ones({6, 2})}), Error);
  CHECK_THROWS_AS(weight_norms({at::ones({6, 0})}, {g}), Error);
}

TEST_CASE("convolutions take the weights of their network's scope, but none without gradients where they need them") {
  ParameterStore store(1, at::kCPU), other(2, at::kCPU);
  const WeightNormConv1d conv(store, "a", 3, 4, 5), foreign(other, "b", 3, 4, 5);
  const at::Tensor x = normal({2, 3, 20}, 7);
  const at::Tensor alone = conv(x), foreign_alone = foreign(x);
  const auto gradient_of = [&](const at::Tensor& y) {
    return torch::autograd::grad({y.sum()}, {store.entries().back().second}).front();
  };
  const at::Tensor expected = gradient_of(alone);
  {
    const NormalisedWeights weights(store);
    VT_CHECK_CLOSE(conv(x), alone, 1e-6);
    VT_CHECK_CLOSE(gradient_of(conv(x) + conv(x)), 2.0 * expected, 2e-6);
    VT_CHECK_SAME_BITS(foreign(x), foreign_alone);
    const PlainPathScope plain(true);
    VT_CHECK_SAME_BITS(conv(x), alone);
  }
  VT_CHECK_SAME_BITS(conv(x), alone);
  std::unique_ptr<NormalisedWeights> without;
  {
    const at::NoGradGuard no_grad;
    without = std::make_unique<NormalisedWeights>(store);
  }
  VT_CHECK_SAME_BITS(gradient_of(conv(x)), expected);
}

TEST_SUITE_END();

}  // namespace valetts
