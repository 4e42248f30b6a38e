// AdamW (Loshchilov & Hutter 2019) over one network, with torch's conventions: parameters without a gradient are skipped
// entirely, weight decay included.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/parameters.h"

namespace valetts {

struct AdamWSettings {
  double beta1 = 0.8;
  double beta2 = 0.99;
  double epsilon = 1e-9;
  double weight_decay = 0.01;
};

class AdamW {
 public:
  AdamW(ParameterStore& parameters, const AdamWSettings& settings);
  // L2 norm over all gradients, as a device scalar.
  at::Tensor gradient_norm() const;
  // Scales all gradients so that their norm, which the caller has, is at most `limit`; nothing waits for the device.
  void clip(const at::Tensor& norm, double limit);
  // `overflow`, if defined, holds 1 on the device where the step is to change nothing.
  void step(double learning_rate, const at::Tensor& overflow = {});

  NamedTensors state() const;
  // Errors (IO): a state of another shape or of an unknown parameter, named.
  void check_state(const NamedTensors& state, const std::string& origin) const { parse(state, origin); }
  void load_state(const NamedTensors& state, const std::string& origin);

 private:
  struct Moments {
    at::Tensor first;
    at::Tensor second;
    at::Tensor steps;
  };
  std::vector<at::Tensor> gradients() const;
  std::vector<std::optional<Moments>> parse(const NamedTensors& state, const std::string& origin) const;
  Moments fresh(const at::Tensor& parameter) const;
  // The formula written out, tensor by tensor: what the fused step is checked against.
  void plain_step(double learning_rate, const at::Tensor& overflow, const std::vector<at::Tensor>& parameters,
                  const std::vector<at::Tensor>& gradients, const std::vector<at::Tensor>& first,
                  const std::vector<at::Tensor>& second, const std::vector<at::Tensor>& steps) const;

  ParameterStore& parameters_;
  AdamWSettings settings_;
  std::vector<std::optional<Moments>> moments_;  // by parameter; empty until its first gradient
};

}  // namespace valetts
