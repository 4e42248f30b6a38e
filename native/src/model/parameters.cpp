#include "model/parameters.h"

#include <ATen/CPUGeneratorImpl.h>

#include <unordered_map>

#include "core/check.h"

namespace valetts {

ParameterStore::ParameterStore(uint64_t seed, at::Device device, at::ScalarType type)
    : generator_(at::detail::createCPUGenerator(seed)), device_(device), type_(type) {}

at::Tensor ParameterStore::add_value(const std::string& name, const at::Tensor& value) {
  at::Tensor parameter = value.detach().to(device_, type_).clone();
  parameter.set_requires_grad(true);
  entries_.emplace_back(name, parameter);
  return parameter;
}

at::Tensor ParameterStore::add_uniform(const std::string& name, at::IntArrayRef shape, double bound) {
  return add_value(name, at::empty(shape, at::kFloat).uniform_(-bound, bound, generator_));
}

at::Tensor ParameterStore::add_normal(const std::string& name, at::IntArrayRef shape, double standard_deviation) {
  return add_value(name, at::empty(shape, at::kFloat).normal_(0.0, standard_deviation, generator_));
}

at::Tensor ParameterStore::add_constant(const std::string& name, at::IntArrayRef shape, double value) {
  return add_value(name, at::full(shape, value, at::kFloat));
}

size_t ParameterStore::add_normalised_pair(const at::Tensor& direction, const at::Tensor& gain) {
  normalised_pairs_->directions.push_back(direction);
  normalised_pairs_->gains.push_back(gain);
  return normalised_pairs_->gains.size() - 1;
}

int64_t ParameterStore::count(const std::string& prefix) const {
  int64_t total = 0;
  for (const auto& [name, tensor] : entries_) {
    if (name.compare(0, prefix.size(), prefix) == 0) total += tensor.numel();
  }
  return total;
}

void ParameterStore::set_requires_grad(bool requires_grad) {
  for (auto& [name, tensor] : entries_) tensor.set_requires_grad(requires_grad);
}

void ParameterStore::clear_gradients() {
  for (auto& [name, tensor] : entries_) tensor.mutable_grad() = at::Tensor();
}

void ParameterStore::check(const NamedTensors& values, const std::string& origin) const {
  std::unordered_map<std::string, at::Tensor> by_name(values.begin(), values.end());
  for (const auto& [name, tensor] : entries_) {
    auto found = by_name.find(name);
    VT_CHECK_IO(found != by_name.end(), origin, " has no tensor '", name, "'; it belongs to another model");
    VT_CHECK_IO(found->second.sizes() == tensor.sizes(), origin, ": tensor '", name, "' has shape ",
                found->second.sizes(), " where the config needs ", tensor.sizes());
  }
}

void ParameterStore::assign(const NamedTensors& values, const std::string& origin) {
  check(values, origin);
  std::unordered_map<std::string, at::Tensor> by_name(values.begin(), values.end());
  at::NoGradGuard no_grad;
  for (auto& [name, tensor] : entries_) tensor.copy_(by_name.at(name));
}

}  // namespace valetts
