#include "infer/voice.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/check.h"
#include "core/path.h"
#include "core/precision.h"
#include "core/shapes.h"
#include "mas/mas.h"
#include "weight_norm/weight_norm.h"

namespace valetts {

namespace {
// An untrained duration predictor can ask for anything; nobody wants a single utterance of this length.
constexpr double kLongestUtteranceSeconds = 600.0;

bool is_of_flow(const std::string& name) { return name.compare(0, 5, "flow.") == 0; }

// How often each of the flow's parameters has been written to.
std::vector<uint64_t> versions_of_flow(const Generator& generator) {
  std::vector<uint64_t> versions;
  for (const auto& [name, tensor] : generator.parameters().entries()) {
    if (is_of_flow(name)) versions.push_back(tensor._version());
  }
  return versions;
}
}  // namespace

FoldedFlow::FoldedFlow(const Generator& generator) : versions_(versions_of_flow(generator)) {
  at::NoGradGuard no_grad;
  const NormalisedPairs& pairs = *generator.parameters().normalised_pairs();
  std::set<const c10::TensorImpl*> of_flow;
  for (const auto& [name, tensor] : generator.parameters().entries()) {
    if (is_of_flow(name)) of_flow.insert(tensor.unsafeGetTensorImpl());
  }
  weights_.resize(pairs.directions.size());
  std::vector<size_t> places;
  std::vector<at::Tensor> directions, gains;
  for (size_t i = 0; i < pairs.directions.size(); ++i) {
    if (of_flow.count(pairs.directions[i].unsafeGetTensorImpl()) == 0) continue;
    places.push_back(i);
    directions.push_back(pairs.directions[i]);
    gains.push_back(pairs.gains[i]);
  }
  if (places.empty()) return;
  const std::vector<at::Tensor> computed = weight_norms(directions, gains);
  for (size_t i = 0; i < places.size(); ++i) weights_[places[i]] = computed[i];
}

bool FoldedFlow::serves(const Generator& generator) const { return versions_ == versions_of_flow(generator); }

Voice::Voice(std::shared_ptr<const Generator> generator, const AudioSettings& audio, Precision precision)
    : generator_(std::move(generator)),
      extractor_(audio),
      packed_(precision == Precision::kBf16 && PackedDecoder::has_bf16() ? Precision::kBf16 : Precision::kFp32) {}

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
  if (!folded_ || !folded_->serves(*generator_)) folded_ = std::make_unique<FoldedFlow>(*generator_);
  {
    const NormalisedWeights weights(generator_->parameters(), folded_->weights());
    out.z_BCS = generator_->flow.inverse(out.z_p_BCS, mask_B1S, speaker, pass);
  }
  out.audio_B1N = decode_B1N(out.z_BCS * mask_B1S, speaker);
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
  out.audio_B1N = decode_B1N(out.z_target_BCS * posterior.mask_B1S, target);
  return out;
}

at::Tensor Voice::decode_B1N(const at::Tensor& z_BCS, const at::Tensor& speaker_BG1) const {
  if (on_plain_path() || !PackedDecoder::serves(*generator_)) return generator_->decoder(z_BCS, speaker_BG1);
  const at::NoGradGuard no_grad;
  return packed_(*generator_, z_BCS, speaker_BG1);
}

void Voice::stream(const at::Tensor& z_BCS, const at::Tensor& speaker_BG1, int64_t chunk_frames,
                   const std::function<void(const at::Tensor& audio_B1N)>& sink) const {
  VT_CHECK_ARG(chunk_frames >= 1, "streaming decoder: chunks of ", chunk_frames, " frames");
  const int64_t frames = z_BCS.size(2);
  const int64_t reach = decoder_reach_frames(generator_->settings());
  for (int64_t begin = 0; begin < frames; begin += chunk_frames) {
    const int64_t end = std::min(frames, begin + chunk_frames);
    const int64_t first = std::max<int64_t>(0, begin - reach);
    const int64_t last = std::min(frames, end + reach);
    const at::Tensor audio = decode_B1N(z_BCS.slice(2, first, last), speaker_BG1);
    const int64_t hop = audio.size(2) / (last - first);
    sink(audio.slice(2, (begin - first) * hop, (end - first) * hop));
  }
}

}  // namespace valetts
