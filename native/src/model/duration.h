// Duration predictors (deterministic: Glow-TTS; stochastic: VITS appendix B.2) and the time-step-wise duration
// discriminator (VITS2 section 2.2).
#pragma once

#include <optional>

#include "model/layers.h"
#include "model/settings.h"

namespace valetts {

class DeterministicDurationPredictor {
 public:
  DeterministicDurationPredictor() = default;
  DeterministicDurationPredictor(ParameterStore& store, const std::string& name, const ModelSettings& settings);
  // Log-durations [B,1,T]. No gradient reaches hidden or speaker.
  at::Tensor operator()(const at::Tensor& hidden_BHT, const at::Tensor& mask_B1T, const at::Tensor& speaker_BG1,
                        const Pass& pass) const;

 private:
  Conv1d conv_1_, conv_2_, projection_;
  ChannelNorm norm_1_, norm_2_;
  Dropout dropout_1_, dropout_2_;
  std::optional<Conv1d> condition_;
};

class StochasticDurationPredictor {
 public:
  StochasticDurationPredictor() = default;
  StochasticDurationPredictor(ParameterStore& store, const std::string& name, const ModelSettings& settings);
  // The condition on the text, shared by the two passes below. No gradient reaches hidden or speaker.
  at::Tensor condition(const at::Tensor& hidden_BHT, const at::Tensor& mask_B1T, const at::Tensor& speaker_BG1,
                       const Pass& pass) const;
  // Variational bound on the negative log-likelihood of durations_B1T (frames), nats summed over tokens: [B].
  at::Tensor negative_log_likelihood_B(const at::Tensor& condition_BHT, const at::Tensor& mask_B1T,
                                       const at::Tensor& durations_B1T, const Pass& pass) const;
  // Sampled log-durations [B,1,T].
  at::Tensor sample(const at::Tensor& condition_BHT, const at::Tensor& mask_B1T, double noise_scale,
                    const Pass& pass) const;

 private:
  struct SplineFlow {
    Conv1d pre;
    DepthSeparableStack convs;
    Conv1d projection;
  };
  struct Branch {
    at::Tensor affine_mean;
    at::Tensor affine_log_scale;
    std::vector<SplineFlow> splines;
  };
  static Branch make_branch(ParameterStore& store, const std::string& name, int64_t channels, int64_t kernel);
  std::pair<at::Tensor, at::Tensor> spline(const SplineFlow& flow, const at::Tensor& z_B2T, const at::Tensor& mask_B1T,
                                           const at::Tensor& condition_BHT, bool inverse, const Pass& pass) const;
  // Runs a branch forward; returns z and the log-determinant per item.
  std::pair<at::Tensor, at::Tensor> run(const Branch& branch, const at::Tensor& z_B2T, const at::Tensor& mask_B1T,
                                        const at::Tensor& condition_BHT, const Pass& pass) const;

  int64_t channels_ = 0;
  Branch prior_, posterior_;
  Conv1d posterior_pre_, posterior_projection_, pre_, projection_;
  DepthSeparableStack posterior_convs_, convs_;
  std::optional<Conv1d> speaker_;
};

// One probability per token that a log-duration is real.
class DurationDiscriminator {
 public:
  DurationDiscriminator() = default;
  DurationDiscriminator(ParameterStore& store, const ModelSettings& settings);
  // hidden_BHT is detached here; log_durations_B1T is not. Returns [B,T,1].
  at::Tensor operator()(const at::Tensor& hidden_BHT, const at::Tensor& mask_B1T,
                        const at::Tensor& log_durations_B1T) const;

 private:
  bool normalised_ = true;  // V2; V1 has neither norm nor non-linearity
  Conv1d conv_1_, conv_2_, duration_, out_1_, out_2_;
  ChannelNorm norm_1_, norm_2_, out_norm_1_, out_norm_2_;
  Linear output_;
};

}  // namespace valetts
