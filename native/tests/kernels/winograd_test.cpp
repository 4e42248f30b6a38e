#include "winograd/winograd.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/random.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

at::Tensor normal(int64_t a, int64_t b, int64_t c, int64_t seed) {
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < a; ++i) ids.push_back(i);
  return Draws(seed, 1).normal_BCT(0, ids, b, c);
}

std::vector<WinogradVectors> all_vectors() {
  std::vector<WinogradVectors> out{WinogradVectors::kNone};
  if (winograd_vectors() != WinogradVectors::kNone) out.push_back(WinogradVectors::kAvx2);
  if (winograd_vectors() == WinogradVectors::kAvx512) out.push_back(WinogradVectors::kAvx512);
  return out;
}

at::Tensor weight_of(int64_t out, int64_t in, int64_t kernel) {
  return normal(out, in, kernel, 2) / std::sqrt(static_cast<double>(in * kernel));
}

at::Tensor rectified(const at::Tensor& x, double slope) { return at::maximum(x, x * slope); }

// The definition in float64.
at::Tensor expected_of(const at::Tensor& x_BTC, const at::Tensor& weight, const at::Tensor& bias, int64_t dilation,
                       int64_t padding, const WinogradPasses& passes) {
  const int64_t reach = (weight.size(2) - 1) * dilation;
  const at::Tensor x = rectified(x_BTC.to(at::kDouble), passes.input_slope).transpose(1, 2);
  at::Tensor y = at::conv1d(at::constant_pad_nd(x, {padding, reach - padding}), weight.to(at::kDouble),
                            bias.defined() ? bias.to(at::kDouble) : bias, 1, at::IntArrayRef{0}, dilation)
                     .transpose(1, 2);
  if (passes.residual_BTC.defined()) y = y + passes.residual_BTC;
  if (passes.sum_BTC.defined()) y = y + passes.sum_BTC;
  return rectified(y * passes.scale, passes.output_slope).to(at::kFloat);
}

WinogradPasses all_passes(int64_t batch, int64_t time, int64_t out) {
  return {0.1, normal(batch, time, out, 4), normal(batch, time, out, 5), 1.0 / 3.0, 0.01};
}

at::Tensor with_threads(int threads, const WinogradConv& conv, const at::Tensor& x, const WinogradPasses& passes) {
  const int before = at::get_num_threads();
  at::set_num_threads(threads);
  const at::Tensor y = conv(x, passes);
  at::set_num_threads(before);
  return y;
}

}  // namespace

TEST_SUITE_BEGIN("kernels/winograd");

TEST_CASE("every length and batch equals the definition, the same twice and with one and two threads") {
  for (const WinogradVectors vectors : all_vectors()) {
    for (const int64_t kernel : {3, 7, 11}) {
      for (const int64_t dilation : {1, 3, 5}) {
        for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
          for (const int64_t batch : {1, 16}) {
            CAPTURE(static_cast<int>(vectors));
            CAPTURE(kernel);
            CAPTURE(dilation);
            CAPTURE(time);
            CAPTURE(batch);
            const int64_t padding = (kernel - 1) * dilation / 2;
            const at::Tensor weight = weight_of(6, 5, kernel), bias = normal(1, 1, 6, 3).view({6});
            const at::Tensor x = normal(batch, time, 5, 1), before = x.clone();
            const WinogradPasses passes = all_passes(batch, time, 6);
            const at::Tensor residual = passes.residual_BTC.clone(), sum = passes.sum_BTC.clone();
            const WinogradConv conv(weight, bias, dilation, padding, vectors);
            const at::Tensor y = with_threads(1, conv, x, passes);
            VT_CHECK_CLOSE(y, expected_of(x, weight, bias, dilation, padding, passes), 1e-5);
            VT_CHECK_SAME_BITS(with_threads(2, conv, x, passes), y);
            VT_CHECK_SAME_BITS(x, before);
            VT_CHECK_SAME_BITS(passes.residual_BTC, residual);
            VT_CHECK_SAME_BITS(passes.sum_BTC, sum);
          }
        }
      }
    }
  }
}

TEST_CASE("every number of taps and channels and every padding, with and without what is fused") {
  const std::vector<std::pair<int64_t, int64_t>> widths{{1, 1}, {8, 16}, {16, 8}, {17, 33}, {31, 64}, {70, 40}};
  for (const WinogradVectors vectors : all_vectors()) {
    for (int64_t kernel = kWinogradMinKernel; kernel <= kWinogradMaxKernel; ++kernel) {
      for (const auto& [in, out] : widths) {
        const int64_t dilation = kernel % 2 + 1, padding = (in + out) % ((kernel - 1) * dilation + 1);
        CAPTURE(static_cast<int>(vectors));
        CAPTURE(kernel);
        CAPTURE(in);
        CAPTURE(out);
        CAPTURE(padding);
        const at::Tensor weight = weight_of(out, in, kernel), bias = normal(1, 1, out, 3).view({out});
        const at::Tensor x = normal(2, 77, in, 1);
        const WinogradPasses fused = all_passes(2, 77, out);
        VT_CHECK_CLOSE(WinogradConv(weight, {}, dilation, padding, vectors)(x),
                       expected_of(x, weight, {}, dilation, padding, {}), 1e-5);
        VT_CHECK_CLOSE(WinogradConv(weight, bias, dilation, padding, vectors)(x, fused),
                       expected_of(x, weight, bias, dilation, padding, fused), 1e-5);
      }
    }
  }
}

TEST_CASE("the decoder's widest convolutions keep to the stated error, however the threads share them") {
  for (const WinogradVectors vectors : all_vectors()) {
    if (vectors == WinogradVectors::kNone) continue;
    for (const int64_t kernel : {2, 3, 7, 11}) {
      for (const int64_t time : {5, 100, 400}) {
        CAPTURE(static_cast<int>(vectors));
        CAPTURE(kernel);
        CAPTURE(time);
        const at::Tensor weight = weight_of(256, 256, kernel), x = normal(1, time, 256, 1);
        const WinogradConv conv(weight, {}, 1, kernel / 2, vectors);
        const at::Tensor y = with_threads(1, conv, x, {});
        VT_CHECK_CLOSE(y, expected_of(x, weight, {}, 1, kernel / 2, {}), kernel < 9 ? 4e-6 : 1e-5);
        for (const int threads : {2, 3, 7}) VT_CHECK_SAME_BITS(with_threads(threads, conv, x, {}), y);
      }
    }
  }
}

TEST_CASE("a piece of a signal, and some of the output channels") {
  for (const WinogradVectors vectors : all_vectors()) {
    for (const int64_t kernel : {2, 3, 7, 11}) {
      CAPTURE(static_cast<int>(vectors));
      CAPTURE(kernel);
      const int64_t dilation = 3, padding = kernel / 2 * dilation, time = 150, begin = 40, end = 97, reach = 33;
      const WinogradConv conv(weight_of(20, 12, kernel), {}, dilation, padding, vectors);
      const at::Tensor x = normal(1, time, 12, 1), whole = conv(x), wide = at::full({end - begin, 50}, 7.0);
      const float* from = x.const_data_ptr<float>() + begin * 12;
      conv.run({1, end - begin, reach, reach, 50}, from, {}, wide.mutable_data_ptr<float>() + 10);
      VT_CHECK_CLOSE(wide.narrow(1, 10, 20), whole[0].narrow(0, begin, end - begin), 4e-6);
      CHECK((wide.narrow(1, 0, 10) == 7.0).all().item<bool>());
      CHECK((wide.narrow(1, 30, 20) == 7.0).all().item<bool>());
    }
  }
}

TEST_CASE("the result may take the place of the residual or the sum") {
  for (const WinogradVectors vectors : all_vectors()) {
    for (const int64_t kernel : {3, 7, 11}) {
      const WinogradConv conv(weight_of(20, 20, kernel), {}, 3, 3 * (kernel / 2), vectors);
      const at::Tensor x = normal(3, 130, 20, 1);
      WinogradPasses passes = all_passes(3, 130, 20);
      const at::Tensor expected = conv(x, passes);
      at::Tensor y = passes.residual_BTC.clone();
      WinogradPasses in_place = passes;
      in_place.residual_BTC = y;
      conv.into(y, x, in_place);
      VT_CHECK_SAME_BITS(y, expected);
      y = passes.sum_BTC.clone();
      in_place = passes;
      in_place.sum_BTC = y;
      conv.into(y, x, in_place);
      VT_CHECK_SAME_BITS(y, expected);
    }
  }
}

TEST_CASE("an item of a batch is what it is alone; what is no number spoils its surroundings alone") {
  for (const WinogradVectors vectors : all_vectors()) {
    for (const int64_t kernel : {3, 7, 11}) {
      CAPTURE(kernel);
      const WinogradConv conv(weight_of(8, 8, kernel), {}, 2, kernel - 1, vectors);
      at::Tensor x = normal(3, 200, 8, 1);
      const at::Tensor clean = conv(x);
      VT_CHECK_SAME_BITS(conv(x.narrow(0, 1, 1)), clean.narrow(0, 1, 1));
      x[1][100][3] = std::numeric_limits<float>::quiet_NaN();
      const at::Tensor spoilt = conv(x);
      const int64_t reach = (kernel + 12) * 2;
      CHECK(std::isnan(spoilt[1][100][0].item<float>()));
      VT_CHECK_SAME_BITS(spoilt[0], clean[0]);
      VT_CHECK_SAME_BITS(spoilt[2], clean[2]);
      VT_CHECK_SAME_BITS(spoilt[1].narrow(0, 0, 100 - reach), clean[1].narrow(0, 0, 100 - reach));
      VT_CHECK_SAME_BITS(spoilt[1].narrow(0, 101 + reach, 99 - reach), clean[1].narrow(0, 101 + reach, 99 - reach));
    }
  }
}

TEST_CASE("what is not served is refused; nothing is served") {
  const at::Tensor weight = weight_of(4, 6, 3), x = normal(2, 30, 6, 1);
  const WinogradConv conv(weight, {}, 1, 1);
  CHECK(conv(at::zeros({0, 30, 6})).numel() == 0);
  CHECK((conv(at::zeros({2, 0, 6})).sizes() == at::IntArrayRef({2, 0, 4})));
  CHECK_THROWS_AS(WinogradConv(weight_of(4, 6, 1), {}, 1, 0), Error);
  CHECK_THROWS_AS(WinogradConv(weight_of(4, 6, 13), {}, 1, 6), Error);
  CHECK_THROWS_AS(WinogradConv(weight, {}, 1, 3), Error);
  CHECK_THROWS_AS(WinogradConv(weight, {}, 1, -1), Error);
  CHECK_THROWS_AS(WinogradConv(weight, {}, 0, 0), Error);
  CHECK_THROWS_AS(WinogradConv(weight[0], {}, 1, 1), Error);
  CHECK_THROWS_AS(WinogradConv(weight.to(at::kDouble), {}, 1, 1), Error);
  CHECK_THROWS_AS(WinogradConv(weight, at::zeros({6}), 1, 1), Error);
  CHECK_THROWS_AS(conv(x[0]), Error);
  CHECK_THROWS_AS(conv(x.to(at::kDouble)), Error);
  CHECK_THROWS_AS(conv(normal(2, 30, 5, 1)), Error);
  CHECK_THROWS_AS(conv(normal(2, 6, 30, 1).transpose(1, 2)), Error);
  WinogradPasses passes;
  passes.residual_BTC = at::zeros({2, 29, 4});
  CHECK_THROWS_AS(conv(x, passes), Error);
  passes = {};
  passes.output_slope = 1.5;
  CHECK_THROWS_AS(conv(x, passes), Error);
  at::Tensor itself = normal(2, 30, 6, 1);
  CHECK_THROWS_AS(WinogradConv(weight_of(6, 6, 3), {}, 1, 1).into(itself, itself), Error);
}

TEST_SUITE_END();

}  // namespace valetts
