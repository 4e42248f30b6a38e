#include "infer/voice.h"

#include <cmath>

#include "core/check.h"
#include "core/precision.h"
#include "core/shapes.h"
#include "mas/mas.h"

namespace valetts {

namespace {
// An untrained duration predictor can ask for anything; nobody wants a single utterance of this length.
constexpr double kLongestUtteranceSeconds = 600.0;
}  // namespace

Voice::Voice(std::shared_ptr<const Generator> generator, const AudioSettings& audio)
    : generator_(std::move(generator)), extractor_(audio) {}

SynthesisTrace Voice::synthesize(const at::Tensor& token_ids_BT, const at::Tensor& token_lengths_B,
                                 const at::Tensor& speaker_ids_B, const SynthesisScales& scales,
                                 NoiseSource& noise) const {
  at::NoGradGuard no_grad;
  const PrecisionScope scope(device(), Precision::kFp32);
  const Pass pass{false, noise};
  const at::Tensor speaker = speaker_ids_B.defined() ? generator_->speaker_BG1(speaker_ids_B) : at::Tensor();
  const TextEncoding text = generator_->text_encoder(token_ids_BT, token_lengths_B, speaker, pass);
  const at::Tensor log_durations =
      generator_->predict_log_durations(text, speaker, scales.duration_noise, pass);

  SynthesisTrace out;
  out.durations_B1T = at::ceil(at::exp(log_durations) * text.mask_B1T * scales.length);
  const double frames_total = out.durations_B1T.sum({1, 2}).max().item<double>();
  VT_CHECK_FINITE(std::isfinite(frames_total), "the predicted durations add up to ", frames_total,
                  " frames; the voice's weights are not usable");
  const double seconds =
      frames_total * static_cast<double>(audio().hop_length) / static_cast<double>(audio().sample_rate_hz);
  VT_CHECK_ARG(seconds <= kLongestUtteranceSeconds, "the voice predicts ", seconds, " s of audio for ",
               token_ids_BT.size(1), " symbols, more than ", kLongestUtteranceSeconds,
               " s; train it longer, or lower the length scale");
  out.frame_lengths_B = out.durations_B1T.sum({1, 2}).clamp_min(1).to(at::kLong);
  const int64_t frames = std::max<int64_t>(1, static_cast<int64_t>(frames_total));
  const at::Tensor mask_B1S = length_mask_B1T(out.frame_lengths_B, frames);
  const at::Tensor path_BTS =
      expand_durations_BST(out.durations_B1T.squeeze(1), frames).transpose(1, 2).to(text.mean_BCT.scalar_type());
  out.mean_p_BCS = at::matmul(text.mean_BCT, path_BTS);
  out.log_std_p_BCS = at::matmul(text.log_std_BCT, path_BTS);
  out.z_p_BCS = out.mean_p_BCS + noise.normal_BCT(NoiseStream::kPrior, out.mean_p_BCS.size(1), frames) *
                                     at::exp(out.log_std_p_BCS) * scales.noise;
  out.z_BCS = generator_->flow.inverse(out.z_p_BCS, mask_B1S, speaker, pass);
  out.audio_B1N = generator_->decoder(out.z_BCS * mask_B1S, speaker);
  return out;
}

ConversionTrace Voice::convert(const at::Tensor& samples_BN, const at::Tensor& sample_lengths_B,
                               const at::Tensor& source_speakers_B, const at::Tensor& target_speakers_B,
                               NoiseSource& noise) const {
  VT_CHECK_STATE(generator_->settings().speaker_count > 1, "voice conversion needs a voice with several speakers");
  at::NoGradGuard no_grad;
  const PrecisionScope scope(device(), Precision::kFp32);
  const Pass pass{false, noise};
  const at::Tensor source = generator_->speaker_BG1(source_speakers_B);
  const at::Tensor target = generator_->speaker_BG1(target_speakers_B);
  const at::Tensor frame_lengths_B =
      at::div(sample_lengths_B.to(at::kLong), audio().hop_length, "floor").to(device());
  at::Tensor spectrogram = extractor_.linear_of_ragged_BFS(samples_BN, sample_lengths_B);
  if (generator_->settings().posterior_input == PosteriorInput::kMel) {
    spectrogram = extractor_.mel_from_linear(spectrogram) * length_mask_B1T(frame_lengths_B, spectrogram.size(2));
  }
  const PosteriorEncoding posterior = generator_->posterior_encoder(spectrogram, frame_lengths_B, source, noise);
  ConversionTrace out;
  out.z_BCS = posterior.z_BCS;
  out.z_p_BCS = generator_->flow.forward(posterior.z_BCS, posterior.mask_B1S, source, pass);
  out.z_target_BCS = generator_->flow.inverse(out.z_p_BCS, posterior.mask_B1S, target, pass);
  out.audio_B1N = generator_->decoder(out.z_target_BCS * posterior.mask_B1S, target);
  return out;
}

}  // namespace valetts
