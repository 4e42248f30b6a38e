#include "epilogue/epilogue.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <limits>

#include "core/check.h"
#include "epilogue/epilogue_raw.h"
#include "kernels/gradient_checks.h"

namespace valetts {
namespace {

using namespace testing;

// A fresh result, as a convolution's is: the kernels write over it.
at::Tensor fresh(const at::Tensor& x) { return x * 1.0; }

struct Factors {
  at::Tensor keep, mask;
};

Factors factors_of(int64_t batch, int64_t channels, int64_t time) {
  return {normal(batch, channels, time, 7).gt(-1.0).to(at::kFloat) / 0.8, normal(batch, 1, time, 8).gt(-0.5).to(at::kFloat)};
}

at::Tensor typed(const at::Tensor& x, const at::Tensor& like) { return x.defined() ? x.to(like.scalar_type()) : x; }

// in: x and, if there are two, the bias.
Call activation_with(double slope, const Factors& f) {
  return [=](const std::vector<at::Tensor>& in) {
    return std::vector<at::Tensor>{
        activated(fresh(in[0]), in.size() > 1 ? in[1] : at::Tensor(), slope, typed(f.keep, in[0]), typed(f.mask, in[0]))};
  };
}

Call residual_with(const Factors& f) {
  return [=](const std::vector<at::Tensor>& in) {
    return std::vector<at::Tensor>{residual(in[0], fresh(in[1]), typed(f.keep, in[0]), typed(f.mask, in[0]))};
  };
}

const Call kResidualActivated = [](const std::vector<at::Tensor>& in) {
  const auto [sum, rectified] = residual_activated(in[0], fresh(in[1]), 0.1);
  return std::vector<at::Tensor>{sum, rectified};
};

// in: x and y in turn.
const Call kMean = [](const std::vector<at::Tensor>& in) {
  std::vector<at::Tensor> x, y;
  for (size_t i = 0; i < in.size(); i += 2) {
    x.push_back(in[i]);
    y.push_back(fresh(in[i + 1]));
  }
  return std::vector<at::Tensor>{mean_activated(x, y, 0.01)};
};

}  // namespace

TEST_SUITE_BEGIN("kernels/epilogue");

TEST_CASE("the epilogues equal libtorch's operations bit for bit, at every length and batch; gradients to rounding") {
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      CAPTURE(batch);
      CAPTURE(time);
      const at::Tensor x = normal(batch, 3, time, 1), y = normal(batch, 3, time, 2), bias = normal(1, 3, 1, 3).view({3});
      const Factors all = factors_of(batch, 3, time);
      for (const double slope : {0.0, 0.1, 1.0}) {
        CAPTURE(slope);
        check_against_plain(activation_with(slope, {}), {x}, 0.0);
        check_against_plain(activation_with(slope, all), {x}, 0.0);
        // The bias' gradient is a sum.
        check_against_plain(activation_with(slope, {{}, all.mask}), {x, bias}, 2e-5, 1e-2);
      }
      check_against_plain(residual_with({}), {x, y}, 0.0);
      check_against_plain(residual_with(all), {x, y}, 0.0);
      check_against_plain(residual_with({all.keep, {}}), {x, y}, 0.0);
      check_against_plain(kResidualActivated, {x, y}, 1e-7);
      check_against_plain(kMean, {x, y}, 1e-7);
      check_against_plain(kMean, {x, y, y * 2, x - 1, x * y, y + 0.5}, 1e-7);
    }
  }
}

TEST_CASE("maps of two dimensions are served") {
  const at::Tensor x = normal(2, 4, 35, 1).view({2, 4, 5, 7});
  check_against_plain(activation_with(0.1, {}), {x, normal(1, 4, 1, 3).view({4})}, 2e-6);
}

TEST_CASE("only one of the results may be used, and neither is nothing") {
  for (const size_t used : {0, 1}) {
    const Call one = [&](const std::vector<at::Tensor>& in) { return std::vector<at::Tensor>{kResidualActivated(in)[used]}; };
    check_against_plain(one, {normal(2, 3, 9, 1), normal(2, 3, 9, 2)}, 0.0);
  }
}

TEST_CASE("what is not a number stays visible") {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  const at::Tensor x = at::tensor({kNaN, kInfinity, -kInfinity, -1.0f}).view({1, 1, 4});
  for (const double slope : {0.0, 0.1}) {
    const at::Tensor y = activated(x.clone(), {}, slope);
    CHECK(std::isnan(y[0][0][0].item<float>()));
    CHECK_EQ(y[0][0][1].item<float>(), kInfinity);
    CHECK_EQ(y[0][0][2].item<float>(), slope == 0.0 ? 0.0f : -kInfinity);
  }
  CHECK(std::isnan(residual_activated(x, at::ones({1, 1, 4}), 0.1).second[0][0][0].item<float>()));
}

TEST_CASE("gradients in float64 agree with differences") {
  // Away from the kink, where there is no derivative.
  const auto apart = [](const at::Tensor& x) { return at::where(x.abs() < 0.05, x + 0.2, x); };
  const at::Tensor x = apart(normal(2, 3, 7, 1)), y = apart(normal(2, 3, 7, 2));
  const Factors all = factors_of(2, 3, 7);
  check_differences(activation_with(0.1, all), {x, at::zeros({3}, at::kDouble)});
  check_differences(residual_with(all), {x, y});
  check_differences(kResidualActivated, {x.abs(), y.abs()});
  check_differences(kMean, {x.abs(), y.abs(), -x.abs(), y.abs() + x.abs() + 1});
}

TEST_CASE("a fresh result is written over, everything else stays") {
  at::NoGradGuard no_grad;
  const at::Tensor x = normal(2, 3, 9, 1), y = normal(2, 3, 9, 2), of_x = x.clone();
  at::Tensor given = y.clone();
  const auto [sum, rectified] = residual_activated(x, given, 0.1);
  CHECK(sum.is_same(given));
  VT_CHECK_SAME_BITS(x, of_x);
  VT_CHECK_SAME_BITS(sum, x + y);
  CHECK_FALSE(rectified.is_same(given));
  at::Tensor first = y.clone(), second = y.clone();
  CHECK(mean_activated({x, x}, {first, second}, 0.1).is_same(first));
  VT_CHECK_SAME_BITS(second, y);
  VT_CHECK_SAME_BITS(x, of_x);
}

TEST_CASE("fast rows give the bits of the plain loops that the CUDA kernels are checked against") {
  for (const int64_t time : {1, 2, 31, 32, 33, 129}) {
    for (int with = 0; with < 8; ++with) {
      CAPTURE(time);
      CAPTURE(with);
      const at::Tensor in = normal(1, 4, time, 1)[0], factors = normal(1, 2, time, 2).gt(0).to(at::kFloat)[0] * 1.25;
      const auto row = [&](const at::Tensor& of, int64_t i) { return of.const_data_ptr<float>() + i * time; };
      const float* keep = (with & 1) != 0 ? row(factors, 0) : nullptr;
      const float* mask = (with & 2) != 0 ? row(factors, 1) : nullptr;
      const bool whole = (with & 4) != 0;
      const auto run = [&](auto activate, auto activate_back, auto add, auto add_back, auto mean, auto mean_back) {
        const at::Tensor out = at::zeros({8, time});
        const auto to = [&](int64_t i) { return out.data_ptr<float>() + i * time; };
        activate(0.3f, 0.1f, keep, mask, time, row(in, 0), to(0));
        activate_back(0.1f, keep, mask, time, row(in, 0), row(in, 1), to(1));
        add(0.1f, keep, mask, time, row(in, 0), row(in, 1), to(2), whole ? to(3) : nullptr);
        add_back(0.1f, keep, mask, time, row(in, 0), whole ? row(in, 1) : nullptr, row(in, 2), to(4), whole ? to(5) : nullptr);
        const MeanInputs of{{row(in, 0), row(in, 1), row(in, 2)}, {row(in, 1), row(in, 2), row(in, 3)}, 3};
        mean(of, 0.1f, time, to(6));
        mean_back(3, 0.1f, time, row(in, 0), row(in, 1), to(7));
        return out;
      };
      VT_CHECK_SAME_BITS(run(activation_row_fast, activation_backward_row_fast, residual_row_fast, residual_backward_row_fast,
                             mean_row_fast, mean_backward_row_fast),
                         run(activation_row, activation_backward_row, residual_row, residual_backward_row, mean_row,
                             mean_backward_row));
    }
  }
}

TEST_CASE("one and two threads give the same bits; other layouts and types are served") {
  const at::Tensor x = normal(4, 32, 900, 1), y = normal(4, 32, 900, 2);
  const Factors all = factors_of(4, 32, 900);
  check_threads(activation_with(0.1, all), {x, normal(1, 32, 1, 3).view({32})});
  check_threads(residual_with(all), {x, y});
  check_threads(kResidualActivated, {x, y});
  check_threads(kMean, {x, y, y, x});
  const at::Tensor turned = x.transpose(1, 2).contiguous().transpose(1, 2);
  VT_CHECK_SAME_BITS(residual(turned, y.clone()).contiguous(), residual(x, y.clone()));
  const at::Tensor half = x.to(at::kBFloat16);
  VT_CHECK_CLOSE(residual_activated(half, half.clone(), 0.1).second.to(at::kFloat),
                 residual_activated(x, x.clone(), 0.1).second, 2e-2);
}

TEST_CASE("wrong shapes are refused") {
  const at::Tensor x = at::zeros({2, 3, 4});
  CHECK_THROWS_AS(activated(at::zeros({3, 4}), {}, 0.1), Error);
  CHECK_THROWS_AS(activated(x, at::zeros({4}), 0.1), Error);
  CHECK_THROWS_AS(activated(x, {}, 0.1, at::ones({2, 1, 4})), Error);
  CHECK_THROWS_AS(activated(x, {}, 0.1, {}, at::ones({2, 1, 5})), Error);
  CHECK_THROWS_AS(residual(x, at::zeros({2, 3, 5})), Error);
  CHECK_THROWS_AS(residual_activated(x, at::zeros({2, 3, 5}), 0.1), Error);
  CHECK_THROWS_AS(mean_activated({}, {}, 0.1), Error);
  CHECK_THROWS_AS(mean_activated({x, x}, {x}, 0.1), Error);
  CHECK_THROWS_AS(mean_activated({x}, {at::zeros({2, 3, 5})}, 0.1), Error);
}

TEST_SUITE_END();

}  // namespace valetts
