// The whole generator: text encoder, decoder, posterior encoder, flow, duration predictor, speaker embedding. Parts are
// created in the order of the reference's state dict.
#pragma once

#include <optional>

#include "model/decoder.h"
#include "model/duration.h"
#include "model/encoders.h"
#include "model/flow.h"

namespace valetts {

class Generator {
 public:
  Generator(const ModelSettings& settings, uint64_t seed, at::Device device, at::ScalarType type = at::kFloat);

  const ModelSettings& settings() const { return settings_; }
  ParameterStore& parameters() { return store_; }
  const ParameterStore& parameters() const { return store_; }

  // Speaker embeddings [B, G, 1]; undefined with one speaker.
  at::Tensor speaker_BG1(const at::Tensor& speaker_ids_B) const;
  // Negative log-likelihood of the durations per item [B] (squared error with the deterministic predictor) and the
  // predicted log-durations [B,1,T].
  std::pair<at::Tensor, at::Tensor> durations(const TextEncoding& text, const at::Tensor& durations_B1T,
                                              const at::Tensor& speaker_BG1, const Pass& pass) const;
  // Predicted log-durations [B,1,T].
  at::Tensor predict_log_durations(const TextEncoding& text, const at::Tensor& speaker_BG1, double noise_scale,
                                   const Pass& pass) const;

 private:
  ModelSettings settings_;
  ParameterStore store_;

 public:
  const TextEncoder text_encoder;
  const Decoder decoder;
  const PosteriorEncoder posterior_encoder;
  const Flow flow;

 private:
  std::optional<StochasticDurationPredictor> stochastic_;
  std::optional<DeterministicDurationPredictor> deterministic_;
  at::Tensor speaker_embedding_;
};

// log(duration + 1e-6), masked: what the duration losses compare with.
at::Tensor log_durations_B1T(const at::Tensor& durations_B1T, const at::Tensor& mask_B1T);

}  // namespace valetts
