#include "api/step_readings.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/check.h"
#include "core/transfer.h"

namespace valetts {

namespace {

// More than StepLosses has.
constexpr int64_t kCapacity = 64;

}  // namespace

StepReading::StepReading(const StepSchedule& schedule, at::Device device)
    : mel_weight_(schedule.mel_weight),
      values_K_(at::empty({kCapacity}, at::TensorOptions(at::kFloat).device(device))) {
  metrics_.step = schedule.step;
  metrics_.frames = schedule.totals.frames;
  metrics_.tokens = schedule.totals.tokens;
}

void StepReading::take(const StepLosses& losses) {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> values;
  auto want = [&](float& target, const at::Tensor& value) {
    if (!value.defined()) return;
    values.push_back(value.detach().to(at::kFloat).reshape({}));
    targets_.push_back(&target);
  };
  auto want_parts = [&](float* targets, const std::vector<at::Tensor>& parts) {
    for (size_t i = 0; i < parts.size() && i < VT_DISCRIMINATORS; ++i) want(targets[i], parts[i]);
  };
  want(metrics_.loss_generator_total, losses.generator_total);
  want(metrics_.loss_generator_adversarial, losses.adversarial.total);
  want(metrics_.loss_feature_matching, losses.feature_matching);
  want(metrics_.loss_mel, losses.mel);
  want(metrics_.loss_kl, losses.kl);
  want(metrics_.loss_duration, losses.duration);
  want(metrics_.loss_duration_adversarial, losses.duration_adversarial);
  want(metrics_.loss_discriminator, losses.discriminator.total);
  want(metrics_.loss_duration_discriminator, losses.duration_discriminator.total);
  want_parts(metrics_.loss_generator_parts, losses.adversarial.parts);
  want_parts(metrics_.loss_discriminator_real_parts, losses.discriminator.real_parts);
  want_parts(metrics_.loss_discriminator_generated_parts, losses.discriminator.generated_parts);
  want(metrics_.gradient_norm_generator, losses.generator_norm);
  want(metrics_.gradient_norm_discriminator, losses.discriminator_norm);
  want(metrics_.gradient_norm_duration_discriminator, losses.duration_discriminator_norm);
  want(metrics_.loss_scale, losses.loss_scale);
  want(skipped_generator_, losses.generator_overflow);
  want(skipped_discriminator_, losses.discriminator_overflow);
  want(skipped_duration_discriminator_, losses.duration_discriminator_overflow);
  values_K_ = values_K_.narrow(0, 0, static_cast<int64_t>(values.size()));
  at::stack_out(values_K_, values);
}

vt_step_metrics StepReading::metrics(const float* values) {
  for (size_t i = 0; i < targets_.size(); ++i) *targets_[i] = values[i];
  metrics_.mel_l1 = mel_weight_ == 0.0 ? 0.0f : static_cast<float>(metrics_.loss_mel / mel_weight_);
  metrics_.skipped_generator = skipped_generator_ > 0.0f;
  metrics_.skipped_discriminator = skipped_discriminator_ > 0.0f;
  metrics_.skipped_duration_discriminator = skipped_duration_discriminator_ > 0.0f;
  return metrics_;
}

void UnreadSteps::begin(const StepSchedule& schedule, at::Device device) {
  VT_CHECK_STATE(count() < VT_UNREAD_STEPS, "the metrics of ", count(),
                 " steps wait to be read, as many as may, and those of step ", schedule.step,
                 " would be one more: call vt_session_read_metrics");
  begun_ = std::make_unique<StepReading>(schedule, device);
}

void UnreadSteps::keep(const StepLosses& losses) {
  begun_->take(losses);
  waiting_.push_back(std::move(begun_));
}

std::vector<vt_step_metrics> UnreadSteps::read(int64_t most) {
  const int64_t wanted = std::min(most, count());
  std::vector<vt_step_metrics> metrics;
  if (wanted == 0) return metrics;
  std::vector<at::Tensor> rows;
  for (int64_t i = 0; i < wanted; ++i) rows.push_back(waiting_[static_cast<size_t>(i)]->values_K());
  const at::Tensor host = downloaded(at::cat(rows));
  const float* values = host.const_data_ptr<float>();
  for (const at::Tensor& row : rows) {
    metrics.push_back(waiting_.front()->metrics(values));
    values += row.numel();
    waiting_.pop_front();
  }
  return metrics;
}

}  // namespace valetts
