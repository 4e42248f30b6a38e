// The trainable tensors of one network, in the order and under the names of the public reference's state dict, so that
// checkpoints and recorded numbers can be matched key by key.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace valetts {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// The directions and gains of a network's weight-normed convolutions, in the order in which they were registered.
struct NormalisedPairs {
  std::vector<at::Tensor> directions;
  std::vector<at::Tensor> gains;
};

class ParameterStore {
 public:
  // Initial values are drawn from one generator seeded here: the same seed gives the same weights on every device. The
  // tensors are float32 (float64 for checks of the arithmetic).
  ParameterStore(uint64_t seed, at::Device device, at::ScalarType type = at::kFloat);

  at::Tensor add_uniform(const std::string& name, at::IntArrayRef shape, double bound);
  at::Tensor add_normal(const std::string& name, at::IntArrayRef shape, double standard_deviation);
  at::Tensor add_constant(const std::string& name, at::IntArrayRef shape, double value);
  // Registers a tensor computed from others, e.g. the norm of a weight-normalised direction.
  at::Tensor add_value(const std::string& name, const at::Tensor& value);

  // Counts two of its parameters as a weight-normed pair and returns the pair's index.
  size_t add_normalised_pair(const at::Tensor& direction, const at::Tensor& gain);
  std::shared_ptr<const NormalisedPairs> normalised_pairs() const { return normalised_pairs_; }

  // Every dropout site has its own stream of random draws.
  uint32_t next_dropout_site() { return next_dropout_site_++; }

  const NamedTensors& entries() const { return entries_; }
  at::Device device() const { return device_; }
  at::ScalarType type() const { return type_; }
  int64_t count(const std::string& prefix = "") const;
  void set_requires_grad(bool requires_grad);
  void clear_gradients();

  // Errors (IO): a missing key or another shape, named.
  void check(const NamedTensors& values, const std::string& origin) const;
  // Copies every entry from `values` after that check.
  void assign(const NamedTensors& values, const std::string& origin);

 private:
  at::Generator generator_;
  at::Device device_;
  at::ScalarType type_;
  NamedTensors entries_;
  std::shared_ptr<NormalisedPairs> normalised_pairs_ = std::make_shared<NormalisedPairs>();
  uint32_t next_dropout_site_ = 0;
};

}  // namespace valetts
