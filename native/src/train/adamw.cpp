#include "train/adamw.h"

#include <cmath>
#include <unordered_map>

#include "core/check.h"
#include "core/path.h"

namespace valetts {

namespace {
constexpr const char* kFirst = "exp_avg/";
constexpr const char* kSecond = "exp_avg_sq/";
constexpr const char* kSteps = "step/";
}  // namespace

AdamW::AdamW(ParameterStore& parameters, const AdamWSettings& settings)
    : parameters_(parameters), settings_(settings), moments_(parameters.entries().size()) {}

AdamW::Moments AdamW::fresh(const at::Tensor& parameter) const {
  return {at::zeros_like(parameter), at::zeros_like(parameter), at::zeros({}, parameter.options())};
}

std::vector<at::Tensor> AdamW::gradients() const {
  std::vector<at::Tensor> gradients;
  for (const auto& [name, parameter] : parameters_.entries()) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  return gradients;
}

at::Tensor AdamW::gradient_norm() const { return at::stack(at::_foreach_norm(gradients())).norm(); }

void AdamW::clip(const at::Tensor& norm, double limit) {
  at::NoGradGuard no_grad;
  at::_foreach_mul_(gradients(), (limit / (norm + 1e-6)).clamp_max(1.0));
}

void AdamW::step(double learning_rate, const at::Tensor& overflow) {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> parameters, gradients, first, second, steps;
  const NamedTensors& entries = parameters_.entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    const at::Tensor& parameter = entries[i].second;
    if (!parameter.grad().defined()) continue;
    if (!moments_[i]) moments_[i] = fresh(parameter.detach());
    parameters.push_back(parameter);
    gradients.push_back(parameter.grad());
    first.push_back(moments_[i]->first);
    second.push_back(moments_[i]->second);
    steps.push_back(moments_[i]->steps);
  }
  at::_foreach_add_(steps, 1);
  if (on_plain_path()) {
    plain_step(learning_rate, overflow, parameters, gradients, first, second, steps);
    return;
  }
  at::_fused_adamw_(parameters, gradients, first, second, {}, steps, learning_rate, settings_.beta1, settings_.beta2,
                    settings_.weight_decay, settings_.epsilon, /*amsgrad=*/false, /*maximize=*/false,
                    /*grad_scale=*/std::nullopt, overflow.defined() ? std::optional<at::Tensor>(overflow) : std::nullopt);
  if (overflow.defined()) at::_foreach_sub_(steps, std::vector<at::Tensor>(steps.size(), overflow.squeeze()));
}

void AdamW::plain_step(double learning_rate, const at::Tensor& overflow, const std::vector<at::Tensor>& parameters,
                       const std::vector<at::Tensor>& gradients, const std::vector<at::Tensor>& first,
                       const std::vector<at::Tensor>& second, const std::vector<at::Tensor>& steps) const {
  const bool skip = overflow.defined() && overflow.item<float>() > 0.0f;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (skip) {
      steps[i].sub_(1);
      continue;
    }
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
    if (!moments_[i]) continue;
    state.emplace_back(kFirst + entries[i].first, moments_[i]->first);
    state.emplace_back(kSecond + entries[i].first, moments_[i]->second);
    state.emplace_back(kSteps + entries[i].first, moments_[i]->steps);
  }
  return state;
}

std::vector<std::optional<AdamW::Moments>> AdamW::parse(const NamedTensors& state, const std::string& origin) const {
  std::unordered_map<std::string, at::Tensor> by_name(state.begin(), state.end());
  const NamedTensors& entries = parameters_.entries();
  std::vector<std::optional<Moments>> loaded(entries.size());
  size_t used = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& [name, parameter] = entries[i];
    if (by_name.find(kFirst + name) == by_name.end()) continue;
    Moments moments = fresh(parameter.detach());
    auto take = [&](const char* prefix, at::Tensor& target) {
      auto found = by_name.find(prefix + name);
      VT_CHECK_IO(found != by_name.end() && found->second.sizes() == target.sizes(), origin, ": optimizer state '",
                  prefix, name, "' is missing or has another shape");
      target.copy_(found->second);
      ++used;
    };
    take(kFirst, moments.first);
    take(kSecond, moments.second);
    take(kSteps, moments.steps);
    loaded[i] = std::move(moments);
  }
  VT_CHECK_IO(used == state.size(), origin, ": holds states of parameters that this model does not have");
  return loaded;
}

void AdamW::load_state(const NamedTensors& state, const std::string& origin) { moments_ = parse(state, origin); }

}  // namespace valetts
