// Synthesis and voice conversion with a trained generator (VITS, sections 2.5 and 4.6).
#pragma once

#include <functional>
#include <memory>

#include "dsp/spectrogram.h"
#include "core/precision.h"
#include "infer/packed_decoder.h"
#include "model/generator.h"

namespace valetts {

struct SynthesisScales {
  double noise = 0.667;
  double duration_noise = 0.8;
  double length = 1.0;
};

// What synthesis computes on the way, for parity checks.
struct SynthesisTrace {
  at::Tensor durations_B1T;  // whole frames
  at::Tensor frame_lengths_B;
  at::Tensor mean_p_BCS;
  at::Tensor log_std_p_BCS;
  at::Tensor z_p_BCS;
  at::Tensor z_BCS;
  at::Tensor audio_B1N;
};

// What voice conversion computes on the way, for parity checks.
struct ConversionTrace {
  at::Tensor z_BCS;         // posterior sample
  at::Tensor z_p_BCS;       // without the source speaker
  at::Tensor z_target_BCS;  // with the target speaker
  at::Tensor audio_B1N;
};

// The weights of a generator's flow without weight norm, computed anew when its parameters have changed.
class FoldedFlow {
 public:
  explicit FoldedFlow(const Generator& generator);
  bool serves(const Generator& generator) const;
  // In the order of the generator's weight-normed pairs; undefined outside of the flow.
  const std::vector<at::Tensor>& weights() const { return weights_; }

 private:
  std::vector<at::Tensor> weights_;
  std::vector<uint64_t> versions_;
};

class Voice {
 public:
  // bf16 decodes in bfloat16 where the CPU multiplies it; everything else, and on every other device, is float32.
  Voice(std::shared_ptr<const Generator> generator, const AudioSettings& audio, Precision precision = Precision::kFp32);

  const Generator& generator() const { return *generator_; }
  const AudioSettings& audio() const { return extractor_.settings(); }
  at::Device device() const { return generator_->parameters().device(); }

  // token_ids_BT, token_lengths_B, speaker_ids_B (undefined with one speaker): int64 on the voice's device.
  // Errors: NON_FINITE if a duration is; INVALID_ARGUMENT if the durations ask for more than ten minutes of audio.
  SynthesisTrace synthesize(const at::Tensor& token_ids_BT, const at::Tensor& token_lengths_B,
                            const at::Tensor& speaker_ids_B, const SynthesisScales& scales, NoiseSource& noise) const;

  // samples_BN on the voice's device; speakers int64 [B]. The audio is cut to whole frames.
  // Errors: INVALID_STATE with one speaker.
  ConversionTrace convert(const at::Tensor& samples_BN, const at::Tensor& sample_lengths_B,
                          const at::Tensor& source_speakers_B, const at::Tensor& target_speakers_B,
                          NoiseSource& noise) const;

  // The waveform [B,1,N] of a latent [B,C,S] that is 0 outside of its mask.
  at::Tensor decode_B1N(const at::Tensor& z_BCS, const at::Tensor& speaker_BG1) const;

  // The same in order, `chunk_frames` at a time; the last chunk may be shorter. What follows a chunk is decoded with it as
  // far as it reaches, so the chunks laid end to end are the whole waveform, to the rounding of float32.
  // Errors: INVALID_ARGUMENT if chunk_frames < 1.
  void stream(const at::Tensor& z_BCS, const at::Tensor& speaker_BG1, int64_t chunk_frames,
              const std::function<void(const at::Tensor& audio_B1N)>& sink) const;

 private:
  std::shared_ptr<const Generator> generator_;
  SpectrogramExtractor extractor_;
  mutable PackedDecoder packed_;
  mutable std::unique_ptr<FoldedFlow> folded_;
};

}  // namespace valetts
