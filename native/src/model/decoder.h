// HiFi-GAN decoder (Kong et al. 2020; VITS section 2.3.3).
#pragma once

#include <optional>

#include "model/layers.h"
#include "model/settings.h"

namespace valetts {

// The slopes of the decoder's leaky rectifiers; the last keeps torch's default, as published weights expect.
inline constexpr double kDecoderSlope = 0.1;
inline constexpr double kDecoderFinalSlope = 0.01;

// The decoder's numbers without weight norm.
struct FoldedDecoder {
  struct Block {
    std::vector<FoldedConv> first;
    std::vector<FoldedConv> second;  // empty in kind 2
  };
  FoldedConv pre;
  std::optional<FoldedConv> condition;
  std::vector<FoldedConv> upsamples;
  std::vector<Block> blocks;
  FoldedConv post;
};

// Frames on either side that a frame's samples depend on.
int64_t decoder_reach_frames(const ModelSettings& settings);

class Decoder {
 public:
  Decoder() = default;
  Decoder(ParameterStore& store, const std::string& name, const ModelSettings& settings);
  // z [B, inter, S] -> audio [B, 1, S x product of the upsampling rates] in (-1, 1).
  at::Tensor operator()(const at::Tensor& z_BCS, const at::Tensor& speaker_BG1) const;
  FoldedDecoder folded() const;

 private:
  struct ResidualBlock {
    std::vector<WeightNormConv1d> first;
    std::vector<WeightNormConv1d> second;  // empty in kind 2
    at::Tensor operator()(const at::Tensor& x_BCT) const;
  };
  Conv1d pre_;
  std::optional<Conv1d> condition_;
  std::vector<WeightNormConvTranspose1d> upsamples_;
  std::vector<ResidualBlock> blocks_;
  size_t kernels_ = 1;
  Conv1d post_;
};

}  // namespace valetts
