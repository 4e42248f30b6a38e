// HiFi-GAN decoder (Kong et al. 2020; VITS section 2.3.3), and the same with BigVGAN's activations (arXiv:2206.04658, section
// 3): in the blocks and after them, in place of the leaky rectifiers; none before an upsampling.
#pragma once

#include <optional>
#include <utility>

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

// Anti-aliased Snake-beta with a pair of parameters for each channel.
class PeriodicActivation {
 public:
  PeriodicActivation() = default;
  PeriodicActivation(ParameterStore& store, const std::string& name, int64_t channels);
  // In float32 whatever the convolutions run in.
  at::Tensor operator()(const at::Tensor& x_BCT) const;

 private:
  at::Tensor alpha_;
  at::Tensor beta_;
};

class Decoder {
 public:
  Decoder() = default;
  Decoder(ParameterStore& store, const std::string& name, const ModelSettings& settings);
  // z [B, inter, S] -> audio [B, 1, S x product of the upsampling rates] in (-1, 1).
  at::Tensor operator()(const at::Tensor& z_BCS, const at::Tensor& speaker_BG1) const;
  // Without activations: HiFi-GAN's has no others than kDecoderSlope's.
  FoldedDecoder folded() const;

 private:
  struct ResidualBlock {
    std::vector<WeightNormConv1d> first;
    std::vector<WeightNormConv1d> second;          // empty in kind 2
    std::vector<PeriodicActivation> activations;  // one before each convolution in turn; empty for leaky rectifiers
    // With leaky rectifiers: the two addends of its result, from x and the rectified x.
    std::pair<at::Tensor, at::Tensor> rectified(const at::Tensor& x_BCT, const at::Tensor& rectified_BCT) const;
    // With periodic activations: its result.
    at::Tensor periodic(const at::Tensor& x_BCT) const;
  };
  // From the first convolution's result to the last one's input.
  at::Tensor rectified(at::Tensor x_BCT) const;
  at::Tensor periodic(at::Tensor x_BCT) const;

  Conv1d pre_;
  std::optional<Conv1d> condition_;
  std::vector<WeightNormConvTranspose1d> upsamples_;
  std::vector<ResidualBlock> blocks_;
  std::optional<PeriodicActivation> post_activation_;  // absent in HiFi-GAN
  size_t kernels_ = 1;
  Conv1d post_;
};

}  // namespace valetts
