// Dynamic loss scale for float16 (Micikevicius et al. 2018, arXiv:1710.03740): small gradients survive the backward pass
// scaled up; a step whose gradients overflow is skipped and the scale halved.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "model/parameters.h"

namespace valetts {

// Lives on the device: nothing here waits for it.
class LossScale {
 public:
  // Without float16 the scale is 1 and nothing is ever skipped.
  LossScale(bool enabled, double initial, at::Device device);

  bool enabled() const { return enabled_; }
  // float32 scalar on the device.
  const at::Tensor& value() const { return scale_; }
  at::Tensor scaled(const at::Tensor& loss) const { return enabled_ ? loss * scale_ : loss; }
  // Divides the network's gradients by the scale. Returns 1 on the device if one of them is not finite, else 0; undefined
  // when not enabled.
  at::Tensor unscale(const ParameterStore& store) const;
  // Lowers the scale to `largest`, a scalar on the device, where it is above; nothing when not enabled.
  void limit(const at::Tensor& largest);
  // After the step: halves the scale if any network overflowed, doubles it after 2,000 steps without.
  void update(const std::vector<at::Tensor>& overflows);

  NamedTensors state() const;
  // Errors (IO): a value is missing or not a positive number.
  void load_state(const NamedTensors& state, const std::string& origin);

 private:
  bool enabled_;
  at::Tensor scale_;
  at::Tensor steps_without_overflow_;
};

}  // namespace valetts
