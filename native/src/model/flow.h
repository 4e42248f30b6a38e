// Normalizing flow between posterior and prior: mean-only affine couplings with channel flips (VITS section 2.3), with
// the transformer block of VITS2 (section 2.3, figure 1b).
#pragma once

#include "model/layers.h"
#include "model/settings.h"

namespace valetts {

class Flow {
 public:
  Flow() = default;
  Flow(ParameterStore& store, const std::string& name, const ModelSettings& settings);
  // z -> z_p. The log-determinant is 0.
  at::Tensor forward(const at::Tensor& z_BCS, const at::Tensor& mask_B1S, const at::Tensor& speaker_BG1,
                     const Pass& pass) const;
  // z_p -> z.
  at::Tensor inverse(const at::Tensor& z_BCS, const at::Tensor& mask_B1S, const at::Tensor& speaker_BG1,
                     const Pass& pass) const;
  // Parameters that the reference stores for pre_conv but never calls.
  static int64_t dead_parameter_count(const ModelSettings& settings);

 private:
  struct Coupling {
    TransformerEncoder transformer;
    Conv1d pre;
    WaveNet wavenet;
    Conv1d post;
  };
  at::Tensor mean(const Coupling& coupling, const at::Tensor& x0, const at::Tensor& mask_B1S,
                  const at::Tensor& speaker_BG1, const Pass& pass) const;

  FlowKind kind_ = FlowKind::kPreConv;
  int64_t half_ = 0;
  std::vector<Coupling> couplings_;
};

}  // namespace valetts
