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
  // Scales all gradients so that their norm, which the caller has, is at most `limit`; both are device scalars.
  void clip(const at::Tensor& norm, const at::Tensor& limit);
  // learning_rate: a scalar, float32 on a GPU, float64 on the CPU. `overflow`, if defined, holds 1 on the device where the
  // step is to change nothing. Neither is waited for.
  void step(const at::Tensor& learning_rate, const at::Tensor& overflow = {});

  NamedTensors state() const;
  // Errors (IO): a state of another shape or of an unknown parameter, named.
  void check_state(const NamedTensors& state, const std::string& origin) const { parse(state, origin); }
  void load_state(const NamedTensors& state, const std::string& origin);

 private:
  struct Moments {
    at::Tensor first;
    at::Tensor second;
  };
  // Moments by parameter, empty until its first gradient; steps taken, [parameters] on the device, 0 where there were none.
  struct State {
    std::vector<std::optional<Moments>> moments;
    at::Tensor steps_P;
  };
  std::vector<at::Tensor> gradients() const;
  State parse(const NamedTensors& state, const std::string& origin) const;
  State fresh() const;
  static Moments fresh(const at::Tensor& parameter);
  // Counts a step for the parameters that have a gradient, all in one operation.
  void count_step(const std::vector<bool>& stepping, const at::Tensor& overflow);
  // The formula written out, tensor by tensor: what the fused step is checked against.
  void plain_step(double learning_rate, const at::Tensor& overflow, const std::vector<at::Tensor>& parameters,
                  const std::vector<at::Tensor>& gradients, const std::vector<at::Tensor>& first,
                  const std::vector<at::Tensor>& second, const std::vector<at::Tensor>& steps) const;

  ParameterStore& parameters_;
  AdamWSettings settings_;
  State state_;
  std::vector<bool> stepping_;  // what stepping_P_ says: which parameters have gradients
  at::Tensor stepping_P_;       // 1 or 0
};

}  // namespace valetts
