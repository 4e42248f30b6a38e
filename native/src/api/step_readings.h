// The scalars that steps leave on the device, on their way to the border.
#pragma once

#include <ATen/core/Tensor.h>

#include <deque>
#include <memory>
#include <vector>

#include "train/trainer.h"
#include "valetts/valetts.h"

namespace valetts {

// One step's metrics: what the host knows of them, and its scalars side by side on the device, for which nothing waits.
class StepReading {
 public:
  // Takes the memory for the scalars, so that a step that is done cannot fail for want of it.
  StepReading(const StepSchedule& schedule, at::Device device);
  StepReading(const StepReading&) = delete;
  StepReading& operator=(const StepReading&) = delete;

  // Copies them: the next step, or the next replay of a recorded one, writes over what `losses` shows.
  void take(const StepLosses& losses);
  // float32 [K].
  const at::Tensor& values_K() const { return values_K_; }
  // `values`: the same on the host.
  vt_step_metrics metrics(const float* values);

 private:
  vt_step_metrics metrics_{};
  double mel_weight_;
  float skipped_generator_ = 0.0f;
  float skipped_discriminator_ = 0.0f;
  float skipped_duration_discriminator_ = 0.0f;
  // Where each of the scalars belongs.
  std::vector<float*> targets_;
  at::Tensor values_K_;
};

// Steps whose metrics nobody has read yet, oldest first.
class UnreadSteps {
 public:
  // Makes room for a step before it is taken. Errors (INVALID_STATE): as many wait as may.
  void begin(const StepSchedule& schedule, at::Device device);
  // The step for which room was made is done: it waits now.
  void keep(const StepLosses& losses);

  int64_t count() const { return static_cast<int64_t>(waiting_.size()); }
  // The oldest, at most `most` of them, which then wait no more; one transfer brings them all.
  std::vector<vt_step_metrics> read(int64_t most);

 private:
  std::deque<std::unique_ptr<StepReading>> waiting_;
  std::unique_ptr<StepReading> begun_;
};

}  // namespace valetts
