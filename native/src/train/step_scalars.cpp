#include "train/step_scalars.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/transfer.h"

namespace valetts {

namespace {

constexpr double kAlignmentNoiseStart = 0.01;
constexpr double kAlignmentNoiseDecay = 2e-6;  // each step
constexpr int64_t kNumbers = 6;
constexpr int64_t kRates = 3;

double noise_scale_at(int64_t step) {
  return std::max(0.0, kAlignmentNoiseStart - kAlignmentNoiseDecay * static_cast<double>(step));
}

}  // namespace

StepStructure StepStructure::of(const StepSchedule& schedule) {
  return {noise_scale_at(schedule.step) > 0.0, schedule.gradient_limit > 0.0, schedule.loss_scale_limit > 0.0};
}

StepScalars::StepScalars(at::ScalarType type, at::Device device, double average_decay)
    : average_decay_(average_decay),
      numbers_K_(at::zeros({kNumbers}, at::TensorOptions(type).device(device))),
      rates_K_(at::zeros({kRates}, at::TensorOptions(device.is_cuda() ? at::kFloat : at::kDouble).device(device))),
      numbers_(numbers_K_.unbind()),
      rates_(rates_K_.unbind()) {}

void StepScalars::put(const std::vector<double>& values, std::optional<std::vector<double>>& written, at::Tensor& target) {
  if (written == values) return;
  const at::Tensor host = at::tensor(at::ArrayRef<double>(values), at::TensorOptions(target.scalar_type()));
  target.copy_(uploaded(host, target.device()), /*non_blocking=*/true);
  written = values;
}

void StepScalars::write(const StepSchedule& schedule) {
  at::NoGradGuard no_grad;
  const auto step = static_cast<double>(schedule.step);
  // The first steps weigh more, or the mean would long remember the initial weights.
  const double decay = std::min(average_decay_, (1.0 + step) / (10.0 + step));
  put({schedule.mel_weight, schedule.kl_weight, schedule.gradient_limit, noise_scale_at(schedule.step), 1.0 - decay,
       schedule.loss_scale_limit},
      numbers_written_, numbers_K_);
  put({schedule.generator_learning_rate, schedule.discriminator_learning_rate,
       schedule.duration_discriminator_learning_rate},
      rates_written_, rates_K_);
}

}  // namespace valetts
