#include "train/adamw.h"

#include <cmath>
#include <unordered_map>

#include "core/check.h"
#include "core/path.h"
#include "core/transfer.h"

namespace valetts {

namespace {
constexpr const char* kFirst = "exp_avg/";
constexpr const char* kSecond = "exp_avg_sq/";
constexpr const char* kSteps = "step/";
}  // namespace

AdamW::AdamW(ParameterStore& parameters, const AdamWSettings& settings)
    : parameters_(parameters), settings_(settings), state_(fresh()) {}

AdamW::Moments AdamW::fresh(const at::Tensor& parameter) { return {at::zeros_like(parameter), at::zeros_like(parameter)}; }

AdamW::State AdamW::fresh() const {
  const NamedTensors& entries = parameters_.entries();
  State state{std::vector<std::optional<Moments>>(entries.size()), {}};
  if (entries.empty()) return state;
  at::TensorOptions options = entries.front().second.options().requires_grad(false);
  // The kernel there reads float32 whatever the parameters are.
  if (entries.front().second.is_cuda()) options = options.dtype(at::kFloat);
  state.steps_P = at::zeros({static_cast<int64_t>(entries.size())}, options);
  return state;
}

std::vector<at::Tensor> AdamW::gradients() const {
  std::vector<at::Tensor> gradients;
  for (const auto& [name, parameter] : parameters_.entries()) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  return gradients;
}

at::Tensor AdamW::gradient_norm() const { return at::stack(at::_foreach_norm(gradients())).norm(); }

void AdamW::clip(const at::Tensor& norm, const at::Tensor& limit) {
  at::NoGradGuard no_grad;
  at::_foreach_mul_(gradients(), at::div(limit, norm + 1e-6).clamp_max_(1.0));
}

void AdamW::count_step(const std::vector<bool>& stepping, const at::Tensor& overflow) {
  if (stepping != stepping_) {
    stepping_P_ = at::zeros({static_cast<int64_t>(stepping.size())}, at::TensorOptions(state_.steps_P.scalar_type()));
    for (size_t i = 0; i < stepping.size(); ++i) {
      if (stepping[i]) stepping_P_.narrow(0, static_cast<int64_t>(i), 1).fill_(1);
    }
    stepping_P_ = uploaded(stepping_P_, state_.steps_P.device());
    stepping_ = stepping;
  }
  if (overflow.defined()) {
    state_.steps_P.addcmul_(stepping_P_, (1.0 - overflow).to(state_.steps_P.scalar_type()));
  } else {
    state_.steps_P.add_(stepping_P_);
  }
}

void AdamW::step(const at::Tensor& learning_rate, const at::Tensor& overflow) {
  at::NoGradGuard no_grad;
  const NamedTensors& entries = parameters_.entries();
  std::vector<bool> stepping(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) stepping[i] = entries[i].second.grad().defined();
  count_step(stepping, overflow);
  std::vector<at::Tensor> parameters, gradients, first, second, steps;
  const std::vector<at::Tensor> all_steps = state_.steps_P.unbind();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!stepping[i]) continue;
    const at::Tensor& parameter = entries[i].second;
    if (!state_.moments[i]) state_.moments[i] = fresh(parameter.detach());
    parameters.push_back(parameter);
    gradients.push_back(parameter.grad());
    first.push_back(state_.moments[i]->first);
    second.push_back(state_.moments[i]->second);
    steps.push_back(all_steps[i]);
  }
  if (on_plain_path()) {
    plain_step(learning_rate.item<double>(), overflow, parameters, gradients, first, second, steps);
    return;
  }
  at::_fused_adamw_(parameters, gradients, first, second, {}, steps, learning_rate, settings_.beta1, settings_.beta2,
                    settings_.weight_decay, settings_.epsilon, /*amsgrad=*/false, /*maximize=*/false,
                    /*grad_scale=*/std::nullopt, overflow.defined() ? std::optional<at::Tensor>(overflow) : std::nullopt);
  // libtorch's kernel does not say that it wrote, and folded weights are kept by version.
  for (const at::Tensor& parameter : parameters) parameter.unsafeGetTensorImpl()->bump_version();
}

void AdamW::plain_step(double learning_rate, const at::Tensor& overflow, const std::vector<at::Tensor>& parameters,
                       const std::vector<at::Tensor>& gradients, const std::vector<at::Tensor>& first,
                       const std::vector<at::Tensor>& second, const std::vector<at::Tensor>& steps) const {
  if (overflow.defined() && overflow.item<float>() > 0.0f) return;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const double count = steps[i].item<double>();
    parameters[i].mul_(1.0 - learning_rate * settings_.weight_decay);
    first[i].mul_(settings_.beta1).add_(gradients[i], 1.0 - settings_.beta1);
    second[i].mul_(settings_.beta2).addcmul_(gradients[i], gradients[i], 1.0 - settings_.beta2);
    const at::Tensor deviation = (second[i] / (1.0 - std::pow(settings_.beta2, count))).sqrt().add_(settings_.epsilon);
    parameters[i].addcdiv_(first[i], deviation, -learning_rate / (1.0 - std::pow(settings_.beta1, count)));
  }
}

NamedTensors AdamW::state() const {
  NamedTensors state;
  const NamedTensors& entries = parameters_.entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!state_.moments[i]) continue;
    state.emplace_back(kFirst + entries[i].first, state_.moments[i]->first);
    state.emplace_back(kSecond + entries[i].first, state_.moments[i]->second);
    state.emplace_back(kSteps + entries[i].first, state_.steps_P.select(0, static_cast<int64_t>(i)));
  }
  return state;
}

AdamW::State AdamW::parse(const NamedTensors& state, const std::string& origin) const {
  std::unordered_map<std::string, at::Tensor> by_name(state.begin(), state.end());
  const NamedTensors& entries = parameters_.entries();
  State loaded = fresh();
  size_t used = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& [name, parameter] = entries[i];
    if (by_name.find(kFirst + name) == by_name.end()) continue;
    Moments moments = fresh(parameter.detach());
    auto take = [&](const char* prefix, at::Tensor target) {
      auto found = by_name.find(prefix + name);
      VT_CHECK_IO(found != by_name.end() && found->second.sizes() == target.sizes(), origin, ": optimizer state '",
                  prefix, name, "' is missing or has another shape");
      target.copy_(found->second);
      ++used;
    };
    take(kFirst, moments.first);
    take(kSecond, moments.second);
    take(kSteps, loaded.steps_P.select(0, static_cast<int64_t>(i)));
    loaded.moments[i] = std::move(moments);
  }
  VT_CHECK_IO(used == state.size(), origin, ": holds states of parameters that this model does not have");
  return loaded;
}

void AdamW::load_state(const NamedTensors& state, const std::string& origin) { state_ = parse(state, origin); }

}  // namespace valetts
