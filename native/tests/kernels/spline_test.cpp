#include "spline/spline.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/path.h"
#include "core/random.h"
#include "spline/spline_raw.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

using Tensors = std::vector<at::Tensor>;

constexpr double kBound = 5.0;
constexpr double kScale = 0.7;

at::Tensor normal(int64_t batch, int64_t channels, int64_t time, int64_t seed) {
  std::vector<int64_t> ids;
  for (int64_t b = 0; b < batch; ++b) ids.push_back(b);
  return Draws(seed, 1).normal_BCT(0, ids, channels, time);
}

struct Inputs {
  at::Tensor x;
  at::Tensor h;
  at::Tensor mask;
};

// Values on both sides of the bounds and on them; item b keeps all but its last b columns.
Inputs inputs_of(int64_t batch, int64_t bins, int64_t time, at::ScalarType type = at::kFloat) {
  Inputs in{normal(batch, 1, time, 1).mul(3.0).to(type), normal(batch, 3 * bins - 1, time, 2).to(type),
            at::ones({batch, 1, time}, type)};
  in.x[0][0][0] = kBound;
  if (time > 2) in.x[0][0][1] = -kBound;
  for (int64_t b = 0; b < batch; ++b) in.mask[b].narrow(1, std::max<int64_t>(0, time - b), std::min(time, b)).zero_();
  return in;
}

// Values, log-determinants, and the gradients of x and h for a loss that weighs each output.
Tensors with_gradients(const Inputs& in, bool inverse) {
  const at::Tensor x = in.x.detach().clone().set_requires_grad(true), h = in.h.detach().clone().set_requires_grad(true);
  const auto [y, log_B] = masked_spline(x, h, in.mask, kScale, inverse, kBound);
  const auto options = y.options().requires_grad(false);
  const at::Tensor loss = (y * at::cos(at::arange(y.numel(), options)).view(y.sizes())).sum() +
                          (log_B * at::sin(at::arange(log_B.numel(), options) + 1.0)).sum();
  Tensors out{y.detach(), log_B.detach()};
  for (const at::Tensor& gradient : torch::autograd::grad({loss}, {x, h})) out.push_back(gradient);
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("kernels/spline");

TEST_CASE("values and gradients equal the plain form's in float64, the same twice and with one and two threads") {
  for (const bool inverse : {false, true}) {
    for (const int64_t batch : {1, 16}) {
      for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
        CAPTURE(inverse);
        CAPTURE(batch);
        CAPTURE(time);
        const Inputs in = inputs_of(batch, 10, time);
        const at::Tensor before = in.h.clone();
        const int threads = at::get_num_threads();
        at::set_num_threads(1);
        const Tensors one = with_gradients(in, inverse);
        at::set_num_threads(2);
        const Tensors two = with_gradients(in, inverse);
        at::set_num_threads(threads);
        const Tensors plain =
            with_gradients({in.x.to(at::kDouble), in.h.to(at::kDouble), in.mask.to(at::kDouble)}, inverse);
        // A narrow bin makes a steep slope, and float32 places an edge to 5e-7.
        const double tolerances[] = {1e-5, 2e-5, 1e-3, 1e-3};
        for (size_t i = 0; i < plain.size(); ++i) {
          CAPTURE(i);
          CHECK_EQ(testing::relative_difference(one[i].to(at::kDouble), plain[i], tolerances[i], 1.0), std::string());
          VT_CHECK_SAME_BITS(one[i], two[i]);
        }
        VT_CHECK_SAME_BITS(in.h, before);
      }
    }
  }
}

TEST_CASE("gradients in float32 agree with differences in float64, both ways and with any number of bins") {
  for (const bool inverse : {false, true}) {
    for (const int64_t bins : {2, 3, 10, 16}) {
      CAPTURE(inverse);
      CAPTURE(bins);
      Inputs in = inputs_of(2, bins, 4, at::kDouble);
      in.h.mul_(0.5);
      in.x[0][0][0] = 1.0;  // away from the bounds, where the slope jumps
      in.x[0][0][1] = -6.0;
      const Tensors of_float =
          with_gradients({in.x.to(at::kFloat), in.h.to(at::kFloat), in.mask.to(at::kFloat)}, inverse);
      const auto loss = [&] {
        const auto [y, log_B] = masked_spline(in.x, in.h, in.mask, kScale, inverse, kBound);
        return (y * at::cos(at::arange(y.numel(), at::kDouble)).view(y.sizes())).sum().item<double>() +
               (log_B * at::sin(at::arange(log_B.numel(), at::kDouble) + 1.0)).sum().item<double>();
      };
      constexpr double kStep = 1e-6;
      size_t which = 2;
      for (const at::Tensor* given : {&in.x, &in.h}) {
        auto* values = given->data_ptr<double>();
        const at::Tensor found = of_float[which++].contiguous().view({-1});
        for (int64_t i = 0; i < given->numel(); ++i) {
          const double before = values[i];
          values[i] = before + kStep;
          const double above = loss();
          values[i] = before - kStep;
          const double below = loss();
          values[i] = before;
          const double expected = (above - below) / (2 * kStep);
          CHECK(std::abs(expected - found[i].item<double>()) < 2e-4 * std::max(1.0, std::abs(expected)));
        }
      }
    }
  }
}

TEST_CASE("the inverse undoes the spline, and its log-determinant is the negative one") {
  const Inputs in = inputs_of(3, 10, 200);
  const auto [y, log_B] = masked_spline(in.x, in.h, in.mask, kScale, false, kBound);
  const auto [x, back_B] = masked_spline(y, in.h, in.mask, kScale, true, kBound);
  VT_CHECK_CLOSE(x, in.x * in.mask, 2e-3);
  VT_CHECK_CLOSE(back_B, -log_B, 2e-4);
}

TEST_CASE("fast columns agree with the plain loops that the CUDA kernel is checked against") {
  constexpr int64_t kBins = 10;
  for (const bool inverse : {false, true}) {
    for (const int64_t time : {1, 8, 31, 64, 65, 129, 1134}) {
      const Inputs in = inputs_of(1, kBins, time);
      const at::Tensor grad = normal(1, 1, time, 9);
      const SplineOptions options{kBins, static_cast<float>(kScale), static_cast<float>(kBound), inverse};
      Tensors results[2];
      for (const bool fast : {false, true}) {
        const at::Tensor y = at::empty({time}), log_of = at::empty({time}), grad_x = at::empty({time});
        const at::Tensor grad_h = at::empty({3 * kBins - 1, time});
        const auto *x = in.x.const_data_ptr<float>(), *h = in.h.const_data_ptr<float>(), *mask = in.mask.const_data_ptr<float>();
        (fast ? spline_columns_fast : spline_columns)(options, time, x, h, time, mask, y.data_ptr<float>(),
                                                      log_of.data_ptr<float>());
        (fast ? spline_backward_columns_fast : spline_backward_columns)(options, time, x, h, time, mask,
                                                                        grad.const_data_ptr<float>(), 0.3f,
                                                                        grad_x.data_ptr<float>(), grad_h.data_ptr<float>());
        results[fast ? 1 : 0] = {y, log_of, grad_x, grad_h};
      }
      const double tolerances[] = {1e-5, 1e-4, 1e-3, 1e-3};
      for (size_t i = 0; i < results[0].size(); ++i) {
        CAPTURE(i);
        CHECK_EQ(testing::relative_difference(results[1][i], results[0][i], tolerances[i], 1.0), std::string());
      }
    }
  }
}

TEST_CASE("a value that is no number spoils its item alone, and padding none at all") {
  Inputs in = inputs_of(3, 10, 40);
  const auto [clean, clean_B] = masked_spline(in.x, in.h, in.mask, kScale, false, kBound);
  const float nothing = std::numeric_limits<float>::quiet_NaN();
  in.x[0][0][7] = 0.5;
  in.h[0].select(1, 7).fill_(nothing);
  in.x[1][0][3] = nothing;
  in.h[2].select(1, 39).fill_(nothing);
  in.x[2][0][39] = nothing;
  const auto [y, log_B] = masked_spline(in.x, in.h, in.mask, kScale, false, kBound);
  CHECK(std::isnan(y[0][0][7].item<float>()));
  CHECK(std::isnan(log_B[0].item<float>()));
  CHECK(std::isnan(y[1][0][3].item<float>()));
  CHECK(at::isnan(y).sum().item<int64_t>() == 2);
  VT_CHECK_SAME_BITS(y[2], clean[2]);
  VT_CHECK_SAME_BITS(log_B[2], clean_B[2]);
}

TEST_CASE("other layouts, more bins and batches without columns are served; wrong shapes are refused") {
  const Inputs in = inputs_of(3, 10, 50);
  const auto [expected, expected_B] = masked_spline(in.x, in.h, in.mask, kScale, false, kBound);
  const at::Tensor wide = at::stack({in.x, in.x}, 1).view({3, 2, 50});
  VT_CHECK_SAME_BITS(masked_spline(wide.narrow(1, 1, 1), in.h, in.mask, kScale, false, kBound).first, expected);
  const at::Tensor turned = in.h.transpose(1, 2).contiguous().transpose(1, 2);
  VT_CHECK_CLOSE(masked_spline(in.x, turned, in.mask, kScale, false, kBound).first, expected, 1e-5);
  const Inputs many = inputs_of(1, 20, 9);
  const auto [by_many, log_many] = masked_spline(many.x, many.h, many.mask, kScale, false, kBound);
  const PlainPathScope scope(true);
  VT_CHECK_SAME_BITS(masked_spline(many.x, many.h, many.mask, kScale, false, kBound).first, by_many);
  {
    const PlainPathScope fused(false);
    const auto [none, zero_B] = masked_spline(at::ones({2, 1, 0}), at::ones({2, 29, 0}), at::ones({2, 1, 0}), 1.0, true, 5.0);
    CHECK(none.numel() == 0);
    VT_CHECK_SAME_BITS(zero_B, at::zeros({2}));
  }
  CHECK_THROWS_AS(masked_spline(in.x, in.h.narrow(1, 0, 28), in.mask, 1.0, false, 5.0), Error);
  CHECK_THROWS_AS(masked_spline(in.x, in.h.narrow(1, 0, 2), in.mask, 1.0, false, 5.0), Error);
  CHECK_THROWS_AS(masked_spline(in.x.narrow(2, 0, 49), in.h, in.mask, 1.0, false, 5.0), Error);
  CHECK_THROWS_AS(masked_spline(in.x, in.h, in.mask.narrow(0, 0, 2), 1.0, false, 5.0), Error);
  CHECK_THROWS_AS(masked_spline(wide, in.h, in.mask, 1.0, false, 5.0), Error);
}

TEST_SUITE_END();

}  // namespace valetts
