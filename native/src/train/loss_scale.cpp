#include "train/loss_scale.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/check.h"

namespace valetts {

namespace {
constexpr double kGrowth = 2.0;
constexpr double kBackoff = 0.5;
constexpr int64_t kGrowthInterval = 2000;  // steps
constexpr const char* kScaleName = "scale";
constexpr const char* kStepsName = "steps_without_overflow";
}  // namespace

LossScale::LossScale(bool enabled, double initial, at::Device device)
    : enabled_(enabled),
      scale_(at::full({}, enabled ? initial : 1.0, at::TensorOptions(at::kFloat).device(device))),
      steps_without_overflow_(at::zeros({}, at::TensorOptions(at::kInt).device(device))) {}

at::Tensor LossScale::unscale(const ParameterStore& store) const {
  if (!enabled_) return {};
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const auto& [name, parameter] : store.entries()) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  at::Tensor overflow = at::zeros({1}, scale_.options());
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, overflow, scale_.reciprocal());
  return overflow;
}

void LossScale::limit(const at::Tensor& largest) {
  if (!enabled_) return;
  at::NoGradGuard no_grad;
  scale_.clamp_max_(largest);
}

void LossScale::update(const std::vector<at::Tensor>& overflows) {
  if (!enabled_) return;
  at::NoGradGuard no_grad;
  at::Tensor any = at::zeros({1}, scale_.options());
  for (const at::Tensor& overflow : overflows) {
    if (overflow.defined()) any = at::maximum(any, overflow);
  }
  at::_amp_update_scale_(scale_, steps_without_overflow_, any, kGrowth, kBackoff, kGrowthInterval);
}

NamedTensors LossScale::state() const { return {{kScaleName, scale_}, {kStepsName, steps_without_overflow_}}; }

void LossScale::load_state(const NamedTensors& state, const std::string& origin) {
  at::Tensor scale, steps;
  for (const auto& [name, value] : state) {
    if (name == kScaleName) scale = value;
    if (name == kStepsName) steps = value;
  }
  VT_CHECK_IO(scale.defined() && steps.defined() && scale.numel() == 1 && steps.numel() == 1, origin,
              ": the loss scale is incomplete");
  const double value = scale.item<double>();
  VT_CHECK_IO(std::isfinite(value) && value > 0.0, origin, ": the loss scale is ", value);
  scale_.copy_(scale.squeeze());
  steps_without_overflow_.copy_(steps.squeeze());
}

}  // namespace valetts
