// Spectrograms of waveforms, as VITS computes them; the same function serves the posterior encoder's input and the mel
// loss, so it is differentiable.
//   frames   floor(N / hop) of them; reflection padding of (fft_size - hop) / 2 on both sides, no centring
//   linear   sqrt(re^2 + im^2 + 1e-6), periodic Hann window
//   mel      log(max(filterbank x linear, 1e-5)), natural log; Slaney scale and Slaney area normalisation
// Where a recording is not longer than the padding, reflection repeats: ... 2 1 0 1 2 1 0 1 ... (numpy's "reflect").
// Source: github.com/jaywalnut310/vits, mel_processing.py; librosa.filters.mel.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace valetts {

// The fields of vt_audio_config.
struct AudioSettings {
  int64_t sample_rate_hz = 22050;
  int64_t fft_size = 1024;   // samples
  int64_t hop_length = 256;  // samples
  int64_t win_length = 1024; // samples, at most fft_size
  int64_t mel_bins = 80;
  double mel_min_hz = 0;
  double mel_max_hz = 0;  // 0 means half the sample rate

  int64_t linear_bins() const { return fft_size / 2 + 1; }
  int64_t frames_of(int64_t samples) const { return samples / hop_length; }
  // Throws INVALID_ARGUMENT that names the field.
  void check() const;
};

// The mel filterbank [M,F] in float32, as librosa.filters.mel(htk=False, norm="slaney").
at::Tensor mel_filterbank_MF(const AudioSettings& settings);

// Holds window and filterbank, for each device and type on first use. May be shared by threads.
// samples_BN: float32 (or float64, for checks) [B,N], N >= hop_length. Errors: INVALID_ARGUMENT.
class SpectrogramExtractor {
 public:
  explicit SpectrogramExtractor(const AudioSettings& settings);
  ~SpectrogramExtractor();
  const AudioSettings& settings() const { return settings_; }

  at::Tensor linear_BFS(const at::Tensor& samples_BN) const;
  at::Tensor mel_BMS(const at::Tensor& samples_BN) const;
  at::Tensor mel_from_linear(const at::Tensor& linear_BFS) const;

  // Each item on its own: reflected at its own end, zero from floor(length / hop) on. sample_lengths_B: integer [B] on
  // any device, hop_length..N. Frames: floor(max length / hop). Not differentiable.
  at::Tensor linear_of_ragged_BFS(const at::Tensor& samples_BN, const at::Tensor& sample_lengths_B) const;
  at::Tensor mel_of_ragged_BMS(const at::Tensor& samples_BN, const at::Tensor& sample_lengths_B) const;

 private:
  struct Tables;
  const Tables& tables_for(const at::Tensor& values) const;
  at::Tensor magnitude_of_padded_BFS(const at::Tensor& padded_BN, int64_t frames) const;

  AudioSettings settings_;
  struct Cache;
  std::unique_ptr<Cache> cache_;
};

}  // namespace valetts
