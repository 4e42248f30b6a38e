#include "core/random.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <cmath>

#include "core/check.h"
#include "tensor_checks.h"

namespace valetts {
namespace {
double mean_of(const at::Tensor& values) { return values.to(at::kDouble).mean().item<double>(); }
}  // namespace

TEST_SUITE_BEGIN("core/random");

TEST_CASE("philox gives the published vectors") {  // Random123, kat_vectors, philox4x32-10
  using Block = std::array<uint32_t, 4>;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const uint32_t f = 0xffffffff;
  CHECK(philox4x32({f, f, f, f}, {f, f}) == Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("draw depends neither on padding nor on the rest of the batch") {
  const Draws draws(17, 4);
  const at::Tensor all_BCT = draws.normal_BCT(3, {5, -9, int64_t{1} << 40}, 6, 100);
  for (const int64_t time : {1, 7, 31, 32, 33, 63, 64, 65, 99}) {
    CAPTURE(time);
    const at::Tensor one_BCT = draws.normal_BCT(3, {int64_t{1} << 40}, 6, time);
    VT_CHECK_SAME_BITS(one_BCT[0], all_BCT[2].slice(1, 0, time).contiguous());
    VT_CHECK_SAME_BITS(draws.uniform_BCT(3, {1, 5}, 4, time)[1],
                       draws.uniform_BCT(3, {5}, 9, 120)[0].slice(0, 0, 4).slice(1, 0, time).contiguous());
    VT_CHECK_SAME_BITS(draws.keep_mask_BCT(3, {1, 5}, 4, time, 0.5f)[1],
                       draws.keep_mask_BCT(3, {5}, 9, 140, 0.5f)[0].slice(0, 0, 4).slice(1, 0, time).contiguous());
  }
  VT_CHECK_SAME_BITS(draws.uniform_B(1, {8, 9}), draws.uniform_BCT(1, {8, 9}, 1, 1).view({-1}));
}

TEST_CASE("every value is a function of its counter's philox block") {
  const Draws draws(5, 6);
  const int64_t id = (int64_t{7} << 32) | 9;
  const at::Tensor uniform_T = draws.uniform_BCT(2, {id}, 4, 100)[0][3];
  const at::Tensor normal_T = draws.normal_BCT(2, {id}, 4, 100)[0][3];
  const at::Tensor keep_T = draws.keep_mask_BCT(2, {id}, 4, 200, 0.25f)[0][3];
  const auto word = [&](uint32_t counter, size_t w) {
    return philox4x32({counter, (2u << 20) | 3u, 9, 7}, draws.key())[w];
  };
  for (int64_t t = 0; t < 100; ++t) {
    const auto counter = static_cast<uint32_t>(t / 32 * 8 + t % 8);
    const auto w = static_cast<size_t>(t % 32 / 8);
    CHECK(uniform_T[t].item<float>() == static_cast<float>(word(counter, w) >> 8) / 16777216.0f);
    const double u = (static_cast<double>(word(counter, w & ~size_t{1}) >> 1) + 0.5) / 2147483648.0;
    const double angle = 2 * std::acos(-1.0) * word(counter, w | 1) / 4294967296.0;
    const double expected = std::sqrt(-2 * std::log(u)) * (w % 2 == 0 ? std::cos(angle) : std::sin(angle));
    CHECK(normal_T[t].item<float>() == doctest::Approx(expected).epsilon(2e-6));
  }
  for (int64_t t = 0; t < 200; ++t) {
    const uint32_t whole = word(static_cast<uint32_t>(t / 64 * 8 + t % 8), static_cast<size_t>(t % 64 / 16));
    const uint32_t half = t % 16 < 8 ? whole & 0xFFFF : whole >> 16;
    CHECK(keep_T[t].item<float>() == (half < 16384 ? 0.0f : 1.0f / 0.75f));
  }
}

TEST_CASE("draw differs by seed, step, stream, utterance and channel") {
  const at::Tensor base = Draws(1, 1).uniform_BCT(1, {1}, 2, 64)[0][0];
  CHECK_FALSE(at::equal(base, Draws(2, 1).uniform_BCT(1, {1}, 2, 64)[0][0]));
  CHECK_FALSE(at::equal(base, Draws(1, 2).uniform_BCT(1, {1}, 2, 64)[0][0]));
  CHECK_FALSE(at::equal(base, Draws(1, 1).uniform_BCT(2, {1}, 2, 64)[0][0]));
  CHECK_FALSE(at::equal(base, Draws(1, 1).uniform_BCT(1, {2}, 2, 64)[0][0]));
  CHECK_FALSE(at::equal(base, Draws(1, 1).uniform_BCT(1, {1}, 2, 64)[0][1]));
}

TEST_CASE("draw does not depend on the number of threads") {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = Draws(3, 9).normal_BCT(0, {1, 2, 3, 4}, 64, 700);
  at::set_num_threads(3);
  const at::Tensor three = Draws(3, 9).normal_BCT(0, {1, 2, 3, 4}, 64, 700);
  at::set_num_threads(threads);
  VT_CHECK_SAME_BITS(three, one);
}

TEST_CASE("normal values have the normal distribution") {
  const at::Tensor x = Draws(7, 0).normal_BCT(0, {1, 2, 3, 4}, 50, 20000).to(at::kDouble);  // 4 million
  CHECK(std::fabs(mean_of(x)) < 0.003);
  CHECK(std::fabs(mean_of(x * x) - 1) < 0.005);
  CHECK(std::fabs(mean_of(x * x * x)) < 0.01);
  CHECK(std::fabs(mean_of(x.pow(4)) - 3) < 0.03);
  for (const double level : {-2.5, -1.0, 0.0, 0.5, 1.5, 3.0}) {
    CHECK(std::fabs(mean_of(x.lt(level)) - 0.5 * std::erfc(-level / std::sqrt(2.0))) < 0.001);
  }
  CHECK(x.abs().max().item<double>() > 4.5);
  CHECK(x.isfinite().all().item<bool>());
  // Neighbours in time and channel are independent.
  CHECK(std::fabs(mean_of(x.slice(2, 1) * x.slice(2, 0, -1))) < 0.003);
  CHECK(std::fabs(mean_of(x.slice(2, 8) * x.slice(2, 0, -8))) < 0.003);
  CHECK(std::fabs(mean_of(x.slice(1, 1) * x.slice(1, 0, -1))) < 0.003);
}

TEST_CASE("uniform values have the uniform distribution") {
  const at::Tensor x = Draws(8, 2).uniform_BCT(5, {1, 2}, 50, 20000).to(at::kDouble);
  CHECK(std::fabs(mean_of(x) - 0.5) < 0.001);
  CHECK(std::fabs(mean_of((x - 0.5).square()) - 1.0 / 12) < 0.001);
  CHECK(x.min().item<double>() >= 0.0);
  CHECK(x.max().item<double>() < 1.0);
}

TEST_CASE("keep mask drops the asked share and keeps the mean") {
  for (const float p : {0.0f, 0.1f, 0.5f, 0.9f}) {
    CAPTURE(p);
    const at::Tensor mask = Draws(8, 2).keep_mask_BCT(6, {1, 2}, 50, 20000, p);
    CHECK(std::fabs(mean_of(mask.eq(0)) - p) < 0.002);
    CHECK(std::fabs(mean_of(mask) - 1) < 0.02);
    CHECK(mask.max().item<float>() == 1.0f / (1.0f - p));
  }
}

TEST_CASE("empty draws are empty and bad ones are refused") {
  const Draws draws(0, 0);
  CHECK(draws.normal_BCT(0, {}, 3, 4).sizes() == at::IntArrayRef{0, 3, 4});
  CHECK(draws.normal_BCT(0, {1}, 3, 0).numel() == 0);
  CHECK(draws.normal_BCT(0, {1}, 0, 3).numel() == 0);
  CHECK_THROWS_AS(draws.normal_BCT(4096, {1}, 1, 1), Error);
  CHECK_THROWS_AS(draws.normal_BCT(0, {1}, -1, 1), Error);
  CHECK_THROWS_AS(draws.keep_mask_BCT(0, {1}, 1, 1, 1.0f), Error);
  CHECK_THROWS_AS(draws.keep_mask_BCT(0, {1}, 1, 1, -0.1f), Error);
}

TEST_SUITE_END();

}  // namespace valetts
