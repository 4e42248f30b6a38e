// Sizes of the networks, as the model code wants them (the border's plain structs are translated in src/api).
#pragma once

#include <cstdint>
#include <vector>

namespace valetts {

enum class PosteriorInput { kMel, kLinear };
enum class FlowKind { kPlain, kPreConv, kPreConv2 };
enum class DecoderKind { kHifiGan, kBigVgan };
enum class DurationDiscriminatorKind { kNone, kV1, kV2 };

struct ModelSettings {
  int64_t vocabulary_size = 178;
  int64_t speaker_count = 1;
  int64_t speaker_channels = 0;  // 0 whenever there is one speaker
  int64_t spectrogram_bins = 80;  // channels of the posterior encoder's input
  PosteriorInput posterior_input = PosteriorInput::kMel;
  int64_t inter_channels = 192;
  int64_t hidden_channels = 192;
  int64_t filter_channels = 768;
  int64_t attention_heads = 2;
  int64_t encoder_layers = 6;
  int64_t encoder_kernel_size = 3;
  double dropout = 0.1;
  bool speaker_conditioned_encoder = false;
  int64_t posterior_layers = 16;
  FlowKind flow_kind = FlowKind::kPreConv;
  int64_t flow_couplings = 4;
  int64_t flow_layers = 4;
  bool stochastic_duration_predictor = true;
  DurationDiscriminatorKind duration_discriminator = DurationDiscriminatorKind::kV2;
  bool noise_scaled_alignment = true;
  DecoderKind decoder_kind = DecoderKind::kHifiGan;
  int64_t resblock_kind = 1;
  std::vector<int64_t> resblock_kernel_sizes{3, 7, 11};
  std::vector<std::vector<int64_t>> resblock_dilations{{1, 3, 5}, {1, 3, 5}, {1, 3, 5}};
  std::vector<int64_t> upsample_rates{8, 8, 2, 2};
  std::vector<int64_t> upsample_kernel_sizes{16, 16, 4, 4};
  int64_t upsample_initial_channels = 512;
  int64_t discriminator_width_divisor = 1;
};

}  // namespace valetts
