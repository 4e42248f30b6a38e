// A small model with every part of the full one, and six ragged utterances for it.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <vector>

#include "train/trainer.h"

namespace valetts {

inline TrainerSettings small_settings() {
  // With networks this small, a second thread costs more than it gives.
  at::set_num_threads(1);
  TrainerSettings settings;
  settings.audio.fft_size = 256;
  settings.audio.hop_length = 64;
  settings.audio.win_length = 256;
  settings.audio.mel_bins = 20;
  settings.segment_frames = 8;
  settings.seed = 7;
  ModelSettings& model = settings.model;
  model.vocabulary_size = 24;
  model.spectrogram_bins = 20;
  model.speaker_count = 3;
  model.speaker_channels = 8;
  model.speaker_conditioned_encoder = true;
  model.inter_channels = 16;
  model.hidden_channels = 16;
  model.filter_channels = 32;
  model.encoder_layers = 3;
  model.posterior_layers = 3;
  model.flow_layers = 2;
  model.flow_kind = FlowKind::kPreConv2;
  model.resblock_kernel_sizes = {3, 5};
  model.resblock_dilations = {{1, 3}, {1, 3}};
  model.upsample_rates = {4, 4, 2, 2};
  model.upsample_kernel_sizes = {8, 8, 4, 4};
  model.upsample_initial_channels = 32;
  model.discriminator_width_divisor = 32;
  return settings;
}

// Six ragged utterances; the last is shorter than a segment.
struct Corpus {
  std::vector<int64_t> tokens{11, 9, 7, 6, 4, 2};
  std::vector<int64_t> samples{2240, 2000, 1500, 1023, 700, 300};

  struct Piece {
    StepInputs inputs;
    std::vector<int64_t> utterances;
  };

  // Utterances first .. first + count - 1, padded to the longest of them and by this much more.
  Piece piece(const Trainer& trainer, int64_t first, int64_t count, int64_t more_tokens = 0, int64_t more_samples = 0) const {
    const int64_t longest_text = tokens[first] + more_tokens, longest_audio = samples[first] + more_samples;
    at::Tensor ids = at::zeros({count, longest_text}, at::kLong), audio = at::zeros({count, longest_audio});
    at::Tensor speakers = at::zeros({count}, at::kLong);
    std::vector<int64_t> utterances;
    for (int64_t b = 0; b < count; ++b) {
      const int64_t i = first + b;
      ids[b].narrow(0, 0, tokens[i]).copy_((at::arange(tokens[i], at::kLong) * (3 + i) + i).remainder(24));
      const at::Tensor n = at::arange(samples[i], at::kDouble);
      audio[b].narrow(0, 0, samples[i]).copy_(at::sin(n * (0.05 + 0.03 * i) + n * n * 1e-5) * 0.3);
      speakers[b] = i % 3;
      utterances.push_back(100 + i);
    }
    auto lengths = [&](const std::vector<int64_t>& all) {
      return at::tensor(std::vector<int64_t>(all.begin() + first, all.begin() + first + count), at::kLong);
    };
    return {trainer.prepare(ids, lengths(tokens), audio, lengths(samples), speakers), utterances};
  }

  BatchTotals totals(int64_t hop_length) const {
    BatchTotals totals;
    for (size_t i = 0; i < tokens.size(); ++i) {
      totals.items += 1;
      totals.tokens += tokens[i];
      totals.frames += samples[i] / hop_length;
    }
    return totals;
  }
};

inline StepSchedule schedule_of(const Trainer& trainer, int64_t step) {
  StepSchedule schedule;
  schedule.step = step;
  schedule.totals = Corpus().totals(trainer.settings().audio.hop_length);
  return schedule;
}

}  // namespace valetts
