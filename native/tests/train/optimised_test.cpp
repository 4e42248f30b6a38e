// Training on the fast path against training on the plain one: the same losses while rounding lets them be, then losses that
// differ no more than those of different seeds.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "core/path.h"
#include "small_run.h"

namespace valetts {
namespace {

constexpr std::array<const char*, 7> kLosses{"mel", "KL", "duration", "feature matching", "adversarial", "discriminators",
                                             "duration discriminator"};
using Losses = std::array<double, kLosses.size()>;

Losses values_of(const StepLosses& losses) {
  const std::array<at::Tensor, kLosses.size()> tensors{
      losses.mel,  losses.kl, losses.duration, losses.feature_matching, losses.adversarial.total, losses.discriminator.total,
      losses.duration_discriminator.total};
  Losses out{};
  for (size_t i = 0; i < out.size(); ++i) out[i] = tensors[i].item<double>();
  return out;
}

// A run on ragged batches of three, with every random draw but dropout.
std::vector<Losses> losses_of_run(bool plain, bool stochastic, int64_t seed, int64_t steps) {
  const PlainPathScope scope(plain);
  TrainerSettings settings = small_settings();
  settings.seed = seed;
  settings.model.dropout = 0.0;
  settings.model.stochastic_duration_predictor = stochastic;
  Trainer trainer(settings, at::kCPU);
  std::vector<Corpus::Piece> pieces;
  for (const int64_t first : {0, 3, 1, 2}) pieces.push_back(Corpus().piece(trainer, first, 3));
  std::vector<Losses> losses;
  for (int64_t step = 0; step < steps; ++step) {
    const Corpus::Piece& piece = pieces[static_cast<size_t>(step) % pieces.size()];
    StepSchedule schedule;
    schedule.step = step;
    KeyedNoise noise(seed, step, piece.utterances, at::kCPU);
    losses.push_back(values_of(trainer.step(piece.inputs, schedule, noise)));
  }
  return losses;
}

TEST_CASE("the first ten steps of the fast path have the losses of the plain path to a thousandth") {
  for (const bool stochastic : {false, true}) {
    const std::vector<Losses> plain = losses_of_run(true, stochastic, 1, 10), fast = losses_of_run(false, stochastic, 1, 10);
    double apart = 0.0;
    for (size_t step = 0; step < plain.size(); ++step) {
      for (size_t i = 0; i < kLosses.size(); ++i) {
        const std::string loss = kLosses[i];
        CAPTURE(stochastic);
        CAPTURE(step);
        CAPTURE(loss);
        const double difference = std::abs(fast[step][i] - plain[step][i]) / std::abs(plain[step][i]);
        CHECK_LE(difference, 1e-3);
        apart = std::max(apart, difference);
      }
    }
    // Equal to the last bit would mean that both were the same path.
    CHECK_GT(apart, 0.0);
  }
}

// A quarter of an hour under the address sanitizer, which ten steps satisfy as well.
#if !defined(__SANITIZE_ADDRESS__)
TEST_CASE("300 steps of the fast path stay in the band of three seeds on the plain path") {
  constexpr int64_t kSteps = 300, kWindow = 50;
  const auto windows = [](const std::vector<Losses>& run) {
    std::vector<Losses> means(kSteps / kWindow, Losses{});
    for (size_t step = 0; step < run.size(); ++step) {
      for (size_t i = 0; i < kLosses.size(); ++i) means[step / kWindow][i] += run[step][i] / static_cast<double>(kWindow);
    }
    return means;
  };
  std::vector<std::vector<Losses>> plain;
  for (const int64_t seed : {1, 2, 3}) plain.push_back(windows(losses_of_run(true, false, seed, kSteps)));
  const std::vector<Losses> fast = windows(losses_of_run(false, false, 1, kSteps));
  double worst = 0.0;
  for (size_t window = 0; window < fast.size(); ++window) {
    for (size_t i = 0; i < kLosses.size(); ++i) {
      const auto [low, high] = std::minmax({plain[0][window][i], plain[1][window][i], plain[2][window][i]});
      // Three seeds show part of their spread: the band is as wide again on each side, and never below 2 %.
      const double margin = std::max(high - low, 0.02 * std::abs(high));
      const double outside = std::max({low - fast[window][i], fast[window][i] - high, 0.0}) / margin;
      worst = std::max(worst, outside);
      const std::string loss = kLosses[i];
      CAPTURE(window);
      CAPTURE(loss);
      CHECK_LE(outside, 1.0);
    }
  }
  MESSAGE("leaves the seeds' range by " << worst << " of 1 allowed");
}
#endif

}  // namespace
}  // namespace valetts
