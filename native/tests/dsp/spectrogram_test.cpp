#include "dsp/spectrogram.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "core/check.h"
#include "core/random.h"
#include "fixtures.h"
#include "interop/safetensors.h"
#include "tensor_checks.h"

namespace valetts {
namespace {
AudioSettings small_settings() {
  AudioSettings settings;
  settings.sample_rate_hz = 8000;
  settings.fft_size = 64;
  settings.hop_length = 16;
  settings.win_length = 64;
  settings.mel_bins = 10;
  return settings;
}

at::Tensor noise_BN(int64_t batch, int64_t samples) {
  std::vector<int64_t> ids;
  for (int64_t b = 0; b < batch; ++b) {
    ids.push_back(b);
  }
  return (Draws(1, 2).uniform_BCT(0, ids, 1, samples).squeeze(1) - 0.5f).contiguous();
}

// The definition, one output at a time, in double.
at::Tensor linear_by_definition_FS(const at::Tensor& samples_N, const AudioSettings& s) {
  const at::Tensor values = samples_N.to(at::kDouble).contiguous();
  const double* x = values.const_data_ptr<double>();
  const int64_t size = values.numel();
  const int64_t pad = (s.fft_size - s.hop_length) / 2;
  const double pi = std::acos(-1.0);
  at::Tensor out = at::zeros({s.linear_bins(), s.frames_of(size)}, at::kDouble);
  for (int64_t frame = 0; frame < s.frames_of(size); ++frame) {
    for (int64_t bin = 0; bin < s.linear_bins(); ++bin) {
      double re = 0;
      double im = 0;
      for (int64_t n = 0; n < s.win_length; ++n) {
        int64_t position = frame * s.hop_length - pad + (s.fft_size - s.win_length) / 2 + n;
        while (size > 1 && (position < 0 || position >= size)) {
          position = position < 0 ? -position : 2 * (size - 1) - position;
        }
        const double window = 0.5 - 0.5 * std::cos(2 * pi * static_cast<double>(n) / static_cast<double>(s.win_length));
        const double phase = 2 * pi * static_cast<double>(bin * (n + (s.fft_size - s.win_length) / 2)) /
                             static_cast<double>(s.fft_size);
        re += window * x[size > 1 ? position : 0] * std::cos(phase);
        im -= window * x[size > 1 ? position : 0] * std::sin(phase);
      }
      out[bin][frame] = std::sqrt(re * re + im * im + 1e-6);
    }
  }
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("dsp/spectrogram");

TEST_CASE("spectrograms and gradient equal the reference's") {
  VT_FIXTURE(path, "stft.safetensors");
  const SafetensorsFile file = load_safetensors(path);
  const SpectrogramExtractor extractor{AudioSettings{}};
  VT_CHECK_CLOSE(mel_filterbank_MF(AudioSettings{}), *file.find("mel_fbank"), 1e-6);
  at::Tensor wav_BN = file.find("wav")->clone();
  VT_CHECK_CLOSE(extractor.linear_BFS(wav_BN), *file.find("linear"), 1e-5);
  VT_CHECK_CLOSE(extractor.mel_from_linear(*file.find("linear")), *file.find("mel_from_linear"), 1e-5);
  wav_BN.requires_grad_(true);
  const at::Tensor mel_BMS = extractor.mel_BMS(wav_BN);
  VT_CHECK_CLOSE(mel_BMS, *file.find("mel"), 1e-5);
  const at::Tensor objective = (mel_BMS * *file.find("grad_weight")).sum();
  const at::Tensor grad_BN = torch::autograd::grad({objective}, {wav_BN})[0];
  VT_CHECK_CLOSE(grad_BN, *file.find("grad_wav"), 2e-4);
}

TEST_CASE("linear spectrogram is its definition, also for short recordings and windows") {
  AudioSettings settings = small_settings();
  for (const int64_t window : {64, 40}) {
    settings.win_length = window;
    const SpectrogramExtractor extractor(settings);
    for (const int64_t samples : {16, 17, 23, 24, 25, 31, 32, 100, 161}) {
      CAPTURE(samples);
      const at::Tensor samples_BN = noise_BN(2, samples);
      const at::Tensor linear_BFS = extractor.linear_BFS(samples_BN);
      CHECK(linear_BFS.sizes() == at::IntArrayRef{2, 33, samples / 16});
      VT_CHECK_CLOSE(linear_BFS[1], linear_by_definition_FS(samples_BN[1], settings), 1e-5);
    }
  }
}

TEST_CASE("a hop of one sample reflects a single sample") {
  AudioSettings settings;
  settings.fft_size = 5 * 2;
  settings.hop_length = 2;
  settings.win_length = 10;
  settings.mel_bins = 2;
  const SpectrogramExtractor extractor(settings);
  const at::Tensor samples_BN = noise_BN(1, 2);
  VT_CHECK_CLOSE(extractor.linear_BFS(samples_BN)[0], linear_by_definition_FS(samples_BN[0], settings), 1e-5);
  settings.fft_size = 3 * 2 - 3 + 1;
  settings.hop_length = 2;
  settings.win_length = 4;
  CHECK(SpectrogramExtractor(settings).linear_BFS(samples_BN).size(2) == 1);
}

TEST_CASE("short recordings have a gradient") {
  const SpectrogramExtractor extractor(small_settings());
  at::Tensor samples_BN = noise_BN(1, 18).clone().requires_grad_(true);
  const at::Tensor grad = torch::autograd::grad({extractor.mel_BMS(samples_BN).sum()}, {samples_BN})[0];
  CHECK(grad.isfinite().all().item<bool>());
  CHECK(grad.abs().min().item<float>() > 0.0f);
}

TEST_CASE("each item of a ragged batch is as if it were alone") {
  const SpectrogramExtractor extractor(small_settings());
  const at::Tensor samples_BN = noise_BN(5, 300);
  const at::Tensor before = samples_BN.clone();
  const std::vector<int64_t> lengths{290, 16, 25, 144, 33};
  for (const at::ScalarType type : {at::kInt, at::kLong}) {
    const at::Tensor lengths_B = at::tensor(lengths, at::kLong).to(type);
    const at::Tensor linear_BFS = extractor.linear_of_ragged_BFS(samples_BN, lengths_B);
    const at::Tensor mel_BMS = extractor.mel_of_ragged_BMS(samples_BN, lengths_B);
    CHECK(linear_BFS.sizes() == at::IntArrayRef{5, 33, 290 / 16});
    CHECK(mel_BMS.sizes() == at::IntArrayRef{5, 10, 290 / 16});
    for (size_t b = 0; b < lengths.size(); ++b) {
      CAPTURE(b);
      const auto item = static_cast<int64_t>(b);
      const int64_t frames = lengths[b] / 16;
      const at::Tensor alone_BN = samples_BN.slice(0, item, item + 1).slice(1, 0, lengths[b]);
      VT_CHECK_CLOSE(linear_BFS[item].slice(1, 0, frames), extractor.linear_BFS(alone_BN)[0], 1e-6);
      VT_CHECK_CLOSE(mel_BMS[item].slice(1, 0, frames), extractor.mel_BMS(alone_BN)[0], 1e-6);
      if (frames < mel_BMS.size(2)) {
        CHECK(linear_BFS[item].slice(1, frames).abs().max().item<float>() == 0.0f);
        CHECK(mel_BMS[item].slice(1, frames).abs().max().item<float>() == 0.0f);
      }
    }
  }
  VT_CHECK_SAME_BITS(samples_BN, before);
}

TEST_CASE("settings that cannot be are refused by name") {
  const auto refused = [](auto change, const char* name) {
    AudioSettings settings;
    change(settings);
    try {
      settings.check();
    } catch (const Error& error) {
      return std::string(error.what()).find(name) != std::string::npos;
    }
    return false;
  };
  CHECK(refused([](AudioSettings& s) { s.sample_rate_hz = 0; }, "sample_rate_hz"));
  CHECK(refused([](AudioSettings& s) { s.fft_size = 1023; }, "fft_size"));
  CHECK(refused([](AudioSettings& s) { s.hop_length = 0; }, "hop_length"));
  CHECK(refused([](AudioSettings& s) { s.hop_length = 2048; }, "hop_length"));
  CHECK(refused([](AudioSettings& s) { s.hop_length = 255; }, "even"));
  CHECK(refused([](AudioSettings& s) { s.win_length = 1025; }, "win_length"));
  CHECK(refused([](AudioSettings& s) { s.mel_bins = 0; }, "mel_bins"));
  CHECK(refused([](AudioSettings& s) { s.mel_max_hz = 12000; }, "mel_max_hz"));
  CHECK(refused([](AudioSettings& s) { s.mel_min_hz = 12000; }, "mel_min_hz"));
}

TEST_CASE("samples that give no frame or have the wrong shape are refused") {
  const SpectrogramExtractor extractor(small_settings());
  CHECK_THROWS_AS(extractor.linear_BFS(noise_BN(1, 15)), Error);
  CHECK_THROWS_AS(extractor.linear_BFS(noise_BN(1, 64)[0]), Error);
  CHECK_THROWS_AS(extractor.linear_BFS(noise_BN(1, 64).to(at::kHalf)), Error);
  CHECK_THROWS_AS(extractor.mel_from_linear(at::ones({1, 32, 4})), Error);
  CHECK_THROWS_AS(extractor.mel_of_ragged_BMS(noise_BN(2, 64), at::tensor({64, 65}, at::kInt)), Error);
  CHECK_THROWS_AS(extractor.mel_of_ragged_BMS(noise_BN(2, 64), at::tensor({64, 15}, at::kInt)), Error);
  CHECK_THROWS_AS(extractor.mel_of_ragged_BMS(noise_BN(2, 64), at::tensor({64}, at::kInt)), Error);
}

TEST_SUITE_END();

}  // namespace valetts
