// One recorded set: tensors of the public reference with what made them.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/json.h"
#include "interop/safetensors.h"
#include "train/trainer.h"

namespace valetts {

class Fixture {
 public:
  // Float tensors are given out as `type` on `device`.
  // Errors: IO naming the file.
  Fixture(const std::string& path, at::Device device, at::ScalarType type);

  bool has(const std::string& name) const { return by_name_.count(name) > 0; }
  // Errors: IO naming the tensor that is not there.
  at::Tensor operator[](const std::string& name) const;
  // As stored, on the CPU.
  const at::Tensor& stored(const std::string& name) const;
  // All tensors under a prefix, which is replaced by another.
  NamedTensors under(const std::string& prefix, const std::string& replacement = "") const;
  // Names that were neither read nor compared.
  std::vector<std::string> unused() const;
  const std::string* metadata(const std::string& key) const;

 private:
  std::string path_;
  at::Device device_;
  at::ScalarType type_;
  SafetensorsFile file_;
  std::unordered_map<std::string, at::Tensor> by_name_;
  mutable std::unordered_set<std::string> used_;
};

// Settings of the reference's config.json (its model, data and train sections), with what fixtures add to it.
TrainerSettings settings_of_reference(const JsonValue& config, Precision precision);
// The loss weights of its train section, for the first step.
StepSchedule schedule_of_reference(const JsonValue& config);

// One such weight: float32 of the given shape, whose first element has this index in the state dict.
at::Tensor formula_weight(const std::string& name, const std::vector<int64_t>& shape, int64_t offset);
// Weights that are not stored but follow a formula of their index in the reference's state dict (fixtures' README).
// keys: rows of [name, shape, offset]. Names in `wanted` only.
NamedTensors formula_weights(const JsonValue& keys, const ParameterStore& wanted, const std::string& prefix = "");

// Moves every weight by up to one unit in the last place of a precision, at random: what its arithmetic cannot tell apart.
NamedTensors perturbed(const NamedTensors& weights, Precision precision, uint64_t seed);
// How many such runs measure the sensitivity of a gradient; 0 in full precision.
int64_t perturbed_runs(Precision precision);

JsonValue read_json(const std::string& path);

}  // namespace valetts
