#include "model/encoders.h"

#include <cmath>

#include "core/module_scope.h"
#include "core/precision.h"
#include "core/shapes.h"

namespace valetts {

namespace {
constexpr int64_t kTextWindow = 4;
constexpr int64_t kWaveNetKernel = 5;
}  // namespace

TextEncoder::TextEncoder(ParameterStore& store, const std::string& name, const ModelSettings& settings)
    : hidden_(settings.hidden_channels), inter_(settings.inter_channels) {
  embedding_ = store.add_normal(name + ".emb.weight", {settings.vocabulary_size, hidden_},
                                1.0 / std::sqrt(static_cast<double>(hidden_)));
  encoder_ = TransformerEncoder(
      store, name + ".encoder",
      {.channels = hidden_,
       .filter_channels = settings.filter_channels,
       .heads = settings.attention_heads,
       .layers = settings.encoder_layers,
       .kernel_size = settings.encoder_kernel_size,
       .dropout = settings.dropout,
       .window = kTextWindow,
       .speaker_channels = settings.speaker_conditioned_encoder ? settings.speaker_channels : 0});
  projection_ = Conv1d(store, name + ".proj", hidden_, 2 * inter_, 1);
}

TextEncoding TextEncoder::operator()(const at::Tensor& token_ids_BT, const at::Tensor& lengths_B,
                                     const at::Tensor& speaker_BG1, const Pass& pass) const {
  const ModuleScope scope("text encoder");
  at::Tensor x = at::embedding(embedding_, token_ids_BT) * std::sqrt(static_cast<double>(hidden_));
  TextEncoding out;
  out.mask_B1T = length_mask_B1T(lengths_B, token_ids_BT.size(1));
  out.hidden_BHT = encoder_(x.transpose(1, 2), out.mask_B1T, speaker_BG1, pass);
  at::Tensor stats = widened(projection_(out.hidden_BHT)) * out.mask_B1T;
  out.mean_BCT = stats.narrow(1, 0, inter_);
  out.log_std_BCT = stats.narrow(1, inter_, inter_);
  return out;
}

PosteriorEncoder::PosteriorEncoder(ParameterStore& store, const std::string& name, const ModelSettings& settings)
    : inter_(settings.inter_channels),
      pre_(store, name + ".pre", settings.spectrogram_bins, settings.hidden_channels, 1),
      wavenet_(store, name + ".enc", settings.hidden_channels, kWaveNetKernel, settings.posterior_layers,
               settings.speaker_channels),
      projection_(store, name + ".proj", settings.hidden_channels, 2 * settings.inter_channels, 1) {}

PosteriorEncoding PosteriorEncoder::operator()(const at::Tensor& spectrogram, const at::Tensor& lengths_B,
                                               const at::Tensor& speaker_BG1, NoiseSource& noise) const {
  const ModuleScope scope("posterior encoder");
  PosteriorEncoding out;
  out.mask_B1S = length_mask_B1T(lengths_B, spectrogram.size(2));
  at::Tensor x = wavenet_(pre_(spectrogram) * out.mask_B1S, out.mask_B1S, speaker_BG1);
  at::Tensor stats = widened(projection_(x)) * out.mask_B1S;
  out.mean_BCS = stats.narrow(1, 0, inter_);
  out.log_std_BCS = stats.narrow(1, inter_, inter_);
  at::Tensor draw = noise.normal_BCT(NoiseStream::kPosterior, inter_, spectrogram.size(2));
  out.z_BCS = (out.mean_BCS + draw * at::exp(out.log_std_BCS)) * out.mask_B1S;
  return out;
}

}  // namespace valetts
