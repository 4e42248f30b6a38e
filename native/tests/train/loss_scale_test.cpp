// float16: gradients that overflow cost the step and halve the scale, which outlives the process.
#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "small_run.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

TrainerSettings half_precision(double initial_scale) {
  TrainerSettings settings = small_settings();
  settings.precision = Precision::kFp16;
  settings.initial_loss_scale = initial_scale;
  return settings;
}

// Whether any network was left as it was.
bool overflows(Trainer& trainer, int64_t step, double scale_limit = 0.0) {
  const Corpus::Piece piece = Corpus().piece(trainer, 0, 6);
  KeyedNoise noise(trainer.settings().seed, step, piece.utterances, at::kCPU);
  StepSchedule schedule = schedule_of(trainer, step);
  schedule.loss_scale_limit = scale_limit;
  const StepLosses losses = trainer.step(piece.inputs, schedule, noise);
  CHECK(std::isfinite(losses.generator_total.item<float>()));
  CHECK(std::isfinite(losses.discriminator.total.item<float>()));
  return losses.generator_overflow.item<float>() + losses.discriminator_overflow.item<float>() +
             losses.duration_discriminator_overflow.item<float>() >
         0.0f;
}

double scale_of(const Trainer& trainer) { return trainer.losses().loss_scale.item<double>(); }

TEST_SUITE("train") {
  TEST_CASE("a loss scale that is too large is halved until gradients fit, and no weight breaks on the way") {
    const double initial = std::exp2(22);
    Trainer trainer(half_precision(initial), at::kCPU);
    const at::Tensor& weight = trainer.generator()->parameters().entries()[5].second;
    const at::Tensor first = weight.detach().clone();
    CHECK(overflows(trainer, 0));
    CHECK_EQ(trainer.losses().generator_overflow.item<float>(), 1.0f);
    VT_CHECK_SAME_BITS(weight, first);
    int64_t step = 1;
    while (overflows(trainer, step)) {
      CHECK_EQ(scale_of(trainer), initial * std::exp2(-static_cast<double>(step)));
      REQUIRE_LT(++step, 40);
    }
    CHECK_FALSE(weight.equal(first));
    for (const auto& [name, parameter] : trainer.generator()->parameters().entries()) {
      CHECK(at::isfinite(parameter).all().item<bool>());
    }
    CHECK_FALSE(overflows(trainer, step + 1));
    CHECK_EQ(scale_of(trainer), initial * std::exp2(-static_cast<double>(step)));
  }

  TEST_CASE("the loss scale goes on from a checkpoint, and a limit lowers it") {
    const double initial = std::exp2(22);
    Trainer trainer(half_precision(initial), at::kCPU);
    REQUIRE(overflows(trainer, 0));
    const auto folder = std::filesystem::temp_directory_path() / ("valetts-scale-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    trainer.snapshot().write(folder.string());
    Trainer resumed(half_precision(1024.0), at::kCPU);
    resumed.load(folder.string());
    std::filesystem::remove_all(folder);
    overflows(resumed, 1);
    CHECK_EQ(scale_of(resumed), initial / 2);
    CHECK_FALSE(overflows(resumed, 2, 64.0));
    CHECK_EQ(scale_of(resumed), 64.0);
  }
}

}  // namespace
}  // namespace valetts
