// The numbers that change from step to step, where its operations read them: on the device. A recorded step takes those that
// are there when it is replayed.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace valetts {

// What a whole batch holds, over all its micro-batches. All 0: there is one micro-batch.
struct BatchTotals {
  int64_t items = 0;
  int64_t frames = 0;
  int64_t tokens = 0;
};

struct StepSchedule {
  int64_t step = 0;
  double generator_learning_rate = 2e-4;
  double discriminator_learning_rate = 2e-4;
  double duration_discriminator_learning_rate = 2e-4;
  double mel_weight = 45.0;
  double kl_weight = 1.0;
  double gradient_limit = 0.0;    // to which each network's gradient norm is cut; 0 leaves it
  double loss_scale_limit = 0.0;  // float16: lowers the scale to this before the step; 0 leaves it
  BatchTotals totals;
};

// Which operations a schedule asks for. Steps that differ here cannot share a recording.
struct StepStructure {
  bool alignment_noise = true;  // until it has decayed to 0 (VITS2, section 2.2)
  bool gradient_limit = false;
  bool loss_scale_limit = false;

  static StepStructure of(const StepSchedule& schedule);
  auto operator<=>(const StepStructure&) const = default;
};

class StepScalars {
 public:
  // `type`: of the parameters. average_decay: of the running mean of the weights.
  StepScalars(at::ScalarType type, at::Device device, double average_decay);
  // Waits for nothing; does nothing where the numbers are already there.
  void write(const StepSchedule& schedule);

  // Of the parameters' type, scalars.
  const at::Tensor& mel_weight() const { return numbers_[0]; }
  const at::Tensor& kl_weight() const { return numbers_[1]; }
  const at::Tensor& gradient_limit() const { return numbers_[2]; }
  const at::Tensor& alignment_noise_scale() const { return numbers_[3]; }
  // The share of the present weights in their running mean.
  const at::Tensor& average_share() const { return numbers_[4]; }
  const at::Tensor& loss_scale_limit() const { return numbers_[5]; }
  // What AdamW::step takes: float32 on a GPU, else float64.
  const at::Tensor& generator_learning_rate() const { return rates_[0]; }
  const at::Tensor& discriminator_learning_rate() const { return rates_[1]; }
  const at::Tensor& duration_discriminator_learning_rate() const { return rates_[2]; }

 private:
  static void put(const std::vector<double>& values, std::optional<std::vector<double>>& written, at::Tensor& target);

  double average_decay_;
  at::Tensor numbers_K_;
  at::Tensor rates_K_;
  // Views of the two.
  std::vector<at::Tensor> numbers_;
  std::vector<at::Tensor> rates_;
  // What lies there.
  std::optional<std::vector<double>> numbers_written_;
  std::optional<std::vector<double>> rates_written_;
};

}  // namespace valetts
