#include "wavenet/wavenet.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/check.h"
#include "kernels/gradient_checks.h"
#include "wavenet/wavenet_raw.h"

namespace valetts {
namespace {

using namespace testing;

const Call kGate = [](const std::vector<at::Tensor>& in) {
  return std::vector<at::Tensor>{wavenet_gate(in[0], in.size() > 1 ? in[1] : at::Tensor())};
};

Call residual_with(const at::Tensor& mask) {
  return [mask](const std::vector<at::Tensor>& in) {
    const auto [x, skip] = wavenet_residual(in[0], in[1], mask.to(in[0].scalar_type()), in.size() > 2 ? in[2] : at::Tensor());
    return std::vector<at::Tensor>{x, skip};
  };
}

}  // namespace

TEST_SUITE_BEGIN("kernels/wavenet");

TEST_CASE("gate equals libtorch's operations, gradients included, at every length and batch") {
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      CAPTURE(batch);
      CAPTURE(time);
      const at::Tensor a = normal(batch, 6, time, time, 2.0);
      check_against_plain(kGate, {a}, 2e-6);
      // As in the network: a slice of all layers' condition.
      const at::Tensor layers = normal(batch, 18, 1, time + 1);
      const Call sliced = [](const std::vector<at::Tensor>& in) {
        return std::vector<at::Tensor>{wavenet_gate(in[0], in[1].narrow(1, 6, 6))};
      };
      check_against_plain(sliced, {a, layers}, 2e-6);
    }
  }
}

TEST_CASE("gate keeps the digits of small values and saturates like libtorch") {
  for (const double scale : {1e-6, 1e-3, 30.0, 1e4, 1e30}) {
    CAPTURE(scale);
    // Where all is saturated, libtorch's gradients round to 0 and these to what is left of 1 - 1.
    check_against_plain(kGate, {normal(2, 8, 65, 5, scale)}, 2e-6, scale > 1.0 ? 0.1 : 1e-30);
  }
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const at::Tensor y = wavenet_gate(at::tensor({kNaN, kInfinity, -kInfinity, 1.0f, 0.0f, kInfinity, kInfinity, kNaN}).view({1, 2, 4}), {});
  CHECK(std::isnan(y[0][0][0].item<float>()));
  CHECK(y[0][0][1].item<float>() == doctest::Approx(1.0));
  CHECK(y[0][0][2].item<float>() == doctest::Approx(-1.0));
  CHECK(std::isnan(y[0][0][3].item<float>()));
}

TEST_CASE("residual equals libtorch's operations, gradients included") {
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      CAPTURE(batch);
      CAPTURE(time);
      const at::Tensor mask = normal(batch, 1, time, 3).gt(-0.5).to(at::kFloat);
      const at::Tensor x = normal(batch, 3, time, 1), r = normal(batch, 6, time, 2), skip = normal(batch, 3, time, 4);
      check_against_plain(residual_with(mask), {x, r}, 1e-7);
      check_against_plain(residual_with(mask), {x, r, skip}, 1e-7);
    }
  }
}

TEST_CASE("only one of the residual's results may be used") {
  const at::Tensor mask = at::ones({2, 1, 9});
  for (const size_t used : {0, 1}) {
    const Call one = [&](const std::vector<at::Tensor>& in) {
      return std::vector<at::Tensor>{residual_with(mask)(in)[used] + 0 * (in[0].sum() + in[1].sum() + in[2].sum())};
    };
    check_against_plain(one, {normal(2, 3, 9, 1), normal(2, 6, 9, 2), normal(2, 3, 9, 3)}, 1e-7);
  }
}

TEST_CASE("gradients in float64 agree with differences") {
  check_differences(kGate, {normal(2, 4, 7, 1), normal(2, 4, 1, 2)});
  const at::Tensor mask = normal(2, 1, 7, 3).gt(-0.5).to(at::kDouble);
  check_differences(residual_with(mask), {normal(2, 3, 7, 1), normal(2, 6, 7, 2), normal(2, 3, 7, 4)});
}

TEST_CASE("fast rows agree with the plain loops that the CUDA kernel is checked against") {
  for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
    const at::Tensor a = normal(1, 3, time, time, 3.0)[0];
    const at::Tensor expected = at::empty({3, time}), actual = at::empty({3, time});
    at::Tensor sums = at::empty({2, 2});
    const auto* in = a.const_data_ptr<float>();
    const auto run = [&](const at::Tensor& out, int64_t row, auto forward, auto backward) {
      auto* to = out.data_ptr<float>();
      auto* sum = sums.data_ptr<float>() + 2 * row;
      forward(in, in + time, 0.25f, -0.5f, time, to);
      backward(in, in + time, 0.25f, -0.5f, in + 2 * time, time, to + time, to + 2 * time, sum, sum + 1);
    };
    run(expected, 0, wavenet_gate_row, wavenet_gate_backward_row);
    run(actual, 1, wavenet_gate_row_fast, wavenet_gate_backward_row_fast);
    VT_CHECK_CLOSE(actual, expected, 1e-6);
    VT_CHECK_CLOSE(sums[1], sums[0], 1e-5);
  }
}

TEST_CASE("one and two threads give the same bits, inputs unchanged; other layouts and types are served") {
  const at::Tensor a = normal(4, 64, 500, 1), condition = normal(4, 64, 1, 2);
  const at::Tensor before = a.clone();
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const std::vector<at::Tensor> one = with_gradients(kGate, {a, condition});
  at::set_num_threads(2);
  const std::vector<at::Tensor> two = with_gradients(kGate, {a, condition});
  at::set_num_threads(threads);
  for (size_t i = 0; i < one.size(); ++i) VT_CHECK_SAME_BITS(two[i], one[i]);
  VT_CHECK_SAME_BITS(a, before);
  VT_CHECK_CLOSE(wavenet_gate(a.transpose(1, 2).contiguous().transpose(1, 2), condition), one[0].detach(), 2e-6);
  VT_CHECK_CLOSE(wavenet_gate(a.to(at::kBFloat16), {}).to(at::kFloat), wavenet_gate(a, {}), 2e-2);
}

TEST_CASE("wrong shapes are refused") {
  CHECK_THROWS_AS(wavenet_gate(at::zeros({2, 3, 4}), {}), Error);
  CHECK_THROWS_AS(wavenet_gate(at::zeros({2, 4, 4}), at::zeros({2, 4, 4})), Error);
  CHECK_THROWS_AS(wavenet_residual(at::zeros({2, 3, 4}), at::zeros({2, 3, 4}), at::ones({2, 1, 4}), {}), Error);
  CHECK_THROWS_AS(wavenet_residual(at::zeros({2, 3, 4}), at::zeros({2, 6, 4}), at::ones({2, 1, 5}), {}), Error);
  CHECK_THROWS_AS(wavenet_residual(at::zeros({2, 3, 4}), at::zeros({2, 6, 4}), at::ones({2, 1, 4}), at::zeros({2, 6, 4})), Error);
}

TEST_SUITE_END();

}  // namespace valetts
