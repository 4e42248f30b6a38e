#include "attention/attention.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <limits>

#include "attention/attention_raw.h"
#include "core/check.h"
#include "kernels/gradient_checks.h"

namespace valetts {
namespace {

using namespace testing;

constexpr int64_t kHeads = 2;
constexpr int64_t kWindow = 4;

// Ragged items: the first is full, each further one shorter, down to one frame.
at::Tensor ragged_mask(int64_t batch, int64_t time) {
  at::Tensor mask = at::zeros({batch, 1, time});
  for (int64_t b = 0; b < batch; ++b) mask[b][0].narrow(0, 0, std::max<int64_t>(1, time - b * (time / batch + 1))).fill_(1.0);
  return mask;
}

at::Tensor scores_of(int64_t batch, int64_t time, int64_t seed, double scale = 3.0) {
  return normal(batch, kHeads * time, time, seed, scale).view({batch, kHeads, time, time});
}

at::Tensor band_of(int64_t batch, int64_t time, int64_t seed) {
  return normal(batch, kHeads * time, 2 * kWindow + 1, seed, 3.0).view({batch, kHeads, time, 2 * kWindow + 1});
}

at::Tensor keep_of(int64_t batch, int64_t time) {
  return normal(batch, kHeads * time, time, 9).gt(-1.0).to(at::kFloat) / 0.9;
}

// in: scores and, if there is a window, the band.
Call weights_with(const at::Tensor& mask, const at::Tensor& keep) {
  return [mask, keep](const std::vector<at::Tensor>& in) {
    // Masks are float32 beside half precision, as in the network.
    const at::ScalarType type = in[0].scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const AttentionWeights out =
        attention_weights(in[0], in.size() > 1 ? in[1] : at::Tensor(), mask.to(type), keep.defined() ? keep.to(type) : keep, 0.7,
                          in.size() > 1 ? kWindow : 0);
    std::vector<at::Tensor> all{out.weights_BhTT};
    if (out.diagonals_BhTW.defined()) all.push_back(out.diagonals_BhTW);
    return all;
  };
}

}  // namespace

TEST_SUITE_BEGIN("kernels/attention");

TEST_CASE("attention weights equal libtorch's operations, gradients included, at every length, ragged") {
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      if (batch * time > 4000) continue;  // 16 x 1134: 165 MB a tensor
      CAPTURE(batch);
      CAPTURE(time);
      const at::Tensor scores = scores_of(batch, time, time), band = band_of(batch, time, time + 1);
      const at::Tensor mask = ragged_mask(batch, time);
      check_against_plain(weights_with(mask, {}), {scores}, 5e-6);
      check_against_plain(weights_with(mask, {}), {scores, band}, 5e-6);
      check_against_plain(weights_with(mask, keep_of(batch, time)), {scores, band}, 5e-6);
    }
  }
}

TEST_CASE("a query attends to valid keys alone, its weights add up to 1; padding attends to all alike") {
  const at::Tensor mask = ragged_mask(3, 40);
  const at::Tensor weights = weights_with(mask, {})({scores_of(3, 40, 1), band_of(3, 40, 2)})[0];
  VT_CHECK_CLOSE(weights.sum(-1), at::ones({3, kHeads, 40}), 1e-6);
  const at::Tensor valid = mask.unsqueeze(2), padding = 1 - mask.unsqueeze(-1);
  CHECK_EQ((weights * (1 - valid) * mask.unsqueeze(-1)).abs().max().item<float>(), 0.0f);
  VT_CHECK_CLOSE(weights * padding, at::full_like(weights, 1.0 / 40) * padding, 1e-6);
}

TEST_CASE("large, equal and broken scores") {
  const at::Tensor mask = ragged_mask(2, 33);
  for (const double scale : {1e-6, 30.0, 2000.0}) {
    CAPTURE(scale);
    check_against_plain(weights_with(mask, {}), {scores_of(2, 33, 3, scale)}, 2e-5, scale > 100.0 ? 0.1 : 1e-30);
  }
  VT_CHECK_CLOSE(weights_with(at::ones({1, 1, 7}), {})({at::full({1, kHeads, 7, 7}, 5.0)})[0],
                 at::full({1, kHeads, 7, 7}, 1.0 / 7), 1e-6);
  // All of them below what stands for a masked one.
  VT_CHECK_CLOSE(weights_with(at::ones({1, 1, 7}), {})({at::full({1, kHeads, 7, 7}, -1e5)})[0],
                 at::full({1, kHeads, 7, 7}, 1.0 / 7), 1e-6);
  at::Tensor broken = scores_of(1, 9, 4);
  broken[0][1][3][5] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor weights = weights_with(at::ones({1, 1, 9}), {})({broken})[0];
  CHECK(weights[0][1][3].isnan().all().item<bool>());
  CHECK_FALSE(weights[0][0].isnan().any().item<bool>());
}

TEST_CASE("only one of the results may be used") {
  const at::Tensor mask = ragged_mask(2, 20);
  for (const size_t used : {0, 1}) {
    const Call one = [&](const std::vector<at::Tensor>& in) {
      return std::vector<at::Tensor>{weights_with(mask, keep_of(2, 20))(in)[used]};
    };
    check_against_plain(one, {scores_of(2, 20, 5), band_of(2, 20, 6)}, 5e-6);
  }
}

TEST_CASE("gradients in float64 agree with differences") {
  check_differences(weights_with(ragged_mask(2, 6), keep_of(2, 6)), {scores_of(2, 6, 7, 1.0), band_of(2, 6, 8)});
}

TEST_CASE("fast rows agree with the plain loops that the CUDA kernel is checked against") {
  for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
    CAPTURE(time);
    const int64_t width = 2 * kWindow + 1;
    const at::Tensor in = normal(1, 5, time, time, 2.0)[0], band = normal(1, 2, width, 2)[0];
    const at::Tensor mask = in[3].gt(-1.5).to(at::kFloat), keep = in[4].gt(-1.0).to(at::kFloat) * 1.25;
    for (const int64_t t : {int64_t{0}, time / 2, time - 1}) {
      const AttentionShape shape{1, 1, time, kWindow, 0.6f};
      const auto run = [&](auto forward, auto backward) {
        std::vector<at::Tensor> out{at::empty({time}), at::empty({time}), at::empty({width}), at::empty({time}), at::empty({width})};
        const auto* of = in.const_data_ptr<float>();
        const auto to = [&](size_t i) { return out[i].data_ptr<float>(); };
        forward(shape, t, of, band.const_data_ptr<float>(), mask.const_data_ptr<float>(), keep.const_data_ptr<float>(), to(0),
                to(1), to(2));
        backward(shape, t, to(0), mask.const_data_ptr<float>(), keep.const_data_ptr<float>(), of + time,
                 band[1].const_data_ptr<float>(), to(3), to(4));
        return out;
      };
      const std::vector<at::Tensor> expected = run(attention_row, attention_backward_row);
      const std::vector<at::Tensor> actual = run(attention_row_fast, attention_backward_row_fast);
      for (size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        CHECK_EQ(relative_difference(actual[i], expected[i], 5e-6, 1e-3), std::string());
      }
    }
  }
}

TEST_CASE("one and two threads give the same bits, inputs unchanged; other layouts and half precision are served") {
  const at::Tensor mask = ragged_mask(3, 70), keep = keep_of(3, 70);
  const at::Tensor scores = scores_of(3, 70, 1), band = band_of(3, 70, 2), before = scores.clone();
  check_threads(weights_with(mask, keep), {scores, band});
  const at::Tensor expected = weights_with(mask, keep)({scores, band})[0];
  VT_CHECK_SAME_BITS(scores, before);
  VT_CHECK_SAME_BITS(weights_with(mask, keep)({scores.transpose(2, 3).contiguous().transpose(2, 3), band})[0], expected);
  const at::Tensor half = weights_with(mask, {})({scores.to(at::kBFloat16)})[0];
  CHECK((half.scalar_type() == at::kFloat));
  VT_CHECK_CLOSE(half, weights_with(mask, {})({scores.to(at::kBFloat16).to(at::kFloat)})[0], 1e-6);
}

TEST_CASE("wrong shapes are refused") {
  const at::Tensor scores = at::zeros({2, 2, 5, 5}), mask = at::ones({2, 1, 5});
  CHECK_THROWS_AS(attention_weights(at::zeros({2, 2, 5, 6}), {}, mask, {}, 1.0, 0), Error);
  CHECK_THROWS_AS(attention_weights(scores, {}, at::ones({2, 1, 6}), {}, 1.0, 0), Error);
  CHECK_THROWS_AS(attention_weights(scores, {}, mask, {}, 1.0, 4), Error);
  CHECK_THROWS_AS(attention_weights(scores, at::zeros({2, 2, 5, 9}), mask, {}, 1.0, 0), Error);
  CHECK_THROWS_AS(attention_weights(scores, at::zeros({2, 2, 5, 8}), mask, {}, 1.0, 4), Error);
  CHECK_THROWS_AS(attention_weights(scores, {}, mask, at::ones({2, 2, 5, 5}), 1.0, 0), Error);
}

TEST_SUITE_END();

}  // namespace valetts
