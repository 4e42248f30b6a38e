// What a step must be so that a GPU can record it once and replay it: it asks the device for nothing, it has few
// operations, and the padding of a batch to a common shape changes nothing.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "core/check.h"
#include "operators.h"
#include "small_run.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

using testing::Operators;
using testing::operators_of;

void train(Trainer& trainer, const Corpus::Piece& piece, int64_t step) {
  StepSchedule schedule;
  schedule.step = step;
  schedule.gradient_limit = 100.0;
  KeyedNoise noise(trainer.settings().seed, step, piece.utterances, at::kCPU);
  trainer.step(piece.inputs, schedule, noise);
}

TrainerSettings settings_with(bool stochastic, bool half) {
  TrainerSettings settings = small_settings();
  settings.model.stochastic_duration_predictor = stochastic;
  settings.model.dropout = 0.1;
  settings.average_decay = 0.99;
  if (half) settings.precision = Precision::kBf16;
  return settings;
}

TEST_CASE("a step asks the device for no value") {
  for (const bool stochastic : {false, true}) {
    for (const bool half : {false, true}) {
      CAPTURE(stochastic);
      CAPTURE(half);
      Trainer trainer(settings_with(stochastic, half), at::kCPU);
      const Corpus::Piece piece = Corpus().piece(trainer, 0, 6);
      train(trainer, piece, 0);
      const Operators operators = operators_of([&] { train(trainer, piece, 1); });
      CHECK_EQ(operators.asking(), std::string());
    }
  }
}

// Raised only with a reason: each operator is a kernel launch on a GPU.
TEST_CASE("a step has no more operators than recorded") {
  const std::pair<bool, int64_t> ceilings[] = {{false, 1578}, {true, 2593}};
  for (const auto& [stochastic, ceiling] : ceilings) {
    CAPTURE(stochastic);
    Trainer trainer(settings_with(stochastic, false), at::kCPU);
    const Corpus::Piece piece = Corpus().piece(trainer, 0, 6);
    train(trainer, piece, 0);
    const Operators operators = operators_of([&] { train(trainer, piece, 1); });
    CHECK_LE(operators.total, ceiling);
  }
}

TEST_CASE("a step takes each kernel that its model has a use for") {
  Trainer trainer(settings_with(true, false), at::kCPU);
  const Corpus::Piece piece = Corpus().piece(trainer, 0, 6);
  train(trainer, piece, 0);
  const Operators operators = operators_of([&] { train(trainer, piece, 1); });
  for (const char* kernel :
       {"activation", "activation_backward", "attention_weights", "attention_weights_backward", "channel_norm",
        "channel_norm_backward", "feature_matching", "feature_matching_backward", "least_squares", "least_squares_backward", "mas",
        "mean_activation", "mean_activation_backward", "residual", "residual_backward", "segment", "segment_backward", "spline",
        "spline_backward", "wavenet_gate", "wavenet_gate_backward", "wavenet_residual", "wavenet_residual_backward", "weight_norm",
        "weight_norm_backward"}) {
    CAPTURE(kernel);
    CHECK_EQ(operators.count.count(kKernelPrefix + std::string(kernel)), 1);
  }
}

// What float32 leaves of an equality that float64 shows is the order of sums.
void check_padding(Precision precision, bool stochastic, double tolerance, double gradient_tolerance) {
  TrainerSettings settings = settings_with(stochastic, false);
  settings.precision = precision;
  settings.average_decay = 0.0;
  Trainer tight(settings, at::kCPU), roomy(settings, at::kCPU);
  const Corpus::Piece piece = Corpus().piece(tight, 0, 6);
  Corpus::Piece padded = piece;
  padded.inputs = roomy.padded(piece.inputs, piece.inputs.token_ids_BT.size(1) + 5, piece.inputs.spectrogram.size(2) + 21);
  train(tight, piece, 0);
  train(roomy, padded, 0);
  const StepLosses& expected = tight.losses();
  const StepLosses& actual = roomy.losses();
  VT_CHECK_CLOSE(actual.generator_total, expected.generator_total, tolerance);
  VT_CHECK_CLOSE(actual.kl, expected.kl, tolerance);
  VT_CHECK_CLOSE(actual.mel, expected.mel, tolerance);
  VT_CHECK_CLOSE(actual.duration, expected.duration, tolerance);
  VT_CHECK_CLOSE(actual.discriminator.total, expected.discriminator.total, tolerance);
  VT_CHECK_CLOSE(actual.duration_discriminator.total, expected.duration_discriminator.total, tolerance);
  // Of the network's largest gradient: some are 0 in exact arithmetic and hold rounding noise.
  auto check_gradients = [&](ParameterStore& of_tight, ParameterStore& of_roomy) {
    double largest = 0.0;
    for (const auto& [name, parameter] : of_tight.entries()) {
      if (parameter.grad().defined()) largest = std::max(largest, parameter.grad().abs().max().item<double>());
    }
    for (size_t i = 0; i < of_tight.entries().size(); ++i) {
      const auto& [name, parameter] = of_tight.entries()[i];
      const at::Tensor& other = of_roomy.entries()[i].second;
      CAPTURE(name);
      REQUIRE_EQ(parameter.grad().defined(), other.grad().defined());
      if (!parameter.grad().defined()) continue;
      CHECK_EQ(testing::relative_difference(other.grad(), parameter.grad(), gradient_tolerance, largest), std::string());
    }
  };
  check_gradients(tight.generator()->parameters(), roomy.generator()->parameters());
  check_gradients(tight.discriminator_parameters(), roomy.discriminator_parameters());
  check_gradients(tight.duration_discriminator_parameters(), roomy.duration_discriminator_parameters());
}

TEST_CASE("padding a batch to a larger shape changes neither losses nor gradients") {
  for (const bool stochastic : {false, true}) {
    CAPTURE(stochastic);
    check_padding(Precision::kFp64, stochastic, 1e-12, 1e-12);
    check_padding(Precision::kFp32, stochastic, 1e-6, 2e-6);
  }
}

TEST_CASE("a batch is not padded to less than it has") {
  Trainer trainer(small_settings(), at::kCPU);
  const StepInputs inputs = Corpus().piece(trainer, 0, 3).inputs;
  CHECK_THROWS_AS(trainer.padded(inputs, inputs.token_ids_BT.size(1) - 1, inputs.spectrogram.size(2)), Error);
  CHECK_THROWS_AS(trainer.padded(inputs, inputs.token_ids_BT.size(1), inputs.spectrogram.size(2) - 1), Error);
}

}  // namespace
}  // namespace valetts
