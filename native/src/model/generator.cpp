#include "model/generator.h"

#include "core/module_scope.h"

namespace valetts {

Generator::Generator(const ModelSettings& settings, uint64_t seed, at::Device device, at::ScalarType type)
    : settings_(settings),
      store_(seed, device, type),
      text_encoder(store_, "enc_p", settings_),
      decoder(store_, "dec", settings_),
      posterior_encoder(store_, "enc_q", settings_),
      flow(store_, "flow", settings_) {
  if (settings_.stochastic_duration_predictor) {
    stochastic_.emplace(store_, "dp", settings_);
  } else {
    deterministic_.emplace(store_, "dp", settings_);
  }
  if (settings_.speaker_count > 1) {
    speaker_embedding_ =
        store_.add_normal("emb_g.weight", {settings_.speaker_count, settings_.speaker_channels}, 1.0);
  }
}

at::Tensor Generator::speaker_BG1(const at::Tensor& speaker_ids_B) const {
  if (!speaker_embedding_.defined()) return {};
  return at::embedding(speaker_embedding_, speaker_ids_B).unsqueeze(-1);
}

at::Tensor log_durations_B1T(const at::Tensor& durations_B1T, const at::Tensor& mask_B1T) {
  return at::log(durations_B1T + 1e-6) * mask_B1T;
}

std::pair<at::Tensor, at::Tensor> Generator::durations(const TextEncoding& text, const at::Tensor& durations_B1T,
                                                       const at::Tensor& speaker_BG1, const Pass& pass) const {
  const ModuleScope scope("duration predictor");
  if (stochastic_) {
    const at::Tensor condition = stochastic_->condition(text.hidden_BHT, text.mask_B1T, speaker_BG1, pass);
    at::Tensor loss_B = stochastic_->negative_log_likelihood_B(condition, text.mask_B1T, durations_B1T, pass);
    return {loss_B, stochastic_->sample(condition, text.mask_B1T, 1.0, pass)};
  }
  at::Tensor predicted = (*deterministic_)(text.hidden_BHT, text.mask_B1T, speaker_BG1, pass);
  at::Tensor target = log_durations_B1T(durations_B1T, text.mask_B1T);
  return {at::square(predicted - target).sum({1, 2}), predicted};
}

at::Tensor Generator::predict_log_durations(const TextEncoding& text, const at::Tensor& speaker_BG1,
                                            double noise_scale, const Pass& pass) const {
  const ModuleScope scope("duration predictor");
  if (deterministic_) return (*deterministic_)(text.hidden_BHT, text.mask_B1T, speaker_BG1, pass);
  const at::Tensor condition = stochastic_->condition(text.hidden_BHT, text.mask_B1T, speaker_BG1, pass);
  return stochastic_->sample(condition, text.mask_B1T, noise_scale, pass);
}

}  // namespace valetts
