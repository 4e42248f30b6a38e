// HiFi-GAN's decoder in float32 through kernels/winograd, for CPUs with AVX2: a third of the multiplications, channels innermost
// from the first convolution on, and no pass over a signal but the convolutions' own.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <vector>

#include "model/decoder.h"
#include "winograd/winograd.h"

namespace valetts {

class WinogradDecoder {
 public:
  // Whether the CPU has the instructions, and all convolutions are of served sizes.
  static bool serves(const FoldedDecoder& folded);

  // kernels: residual blocks of a stage.
  WinogradDecoder(const FoldedDecoder& folded, size_t kernels);

  at::Tensor operator()(const at::Tensor& z_BCS, const at::Tensor& speaker_BG1) const;

 private:
  struct Block {
    std::vector<WinogradConv> first;
    std::vector<WinogradConv> second;
    int64_t reach() const;
  };
  struct Stage {
    int64_t rate;
    int64_t channels;
    int64_t reach;                       // of the widest block
    std::vector<WinogradConv> upsample;  // of consecutive phases
    std::vector<Block> blocks;
  };

  static at::Tensor upsampled(const Stage& stage, const at::Tensor& x_BTC, double slope);
  static void piece_of(const Stage& stage, int64_t time, int64_t begin, int64_t end, float* x, double slope, float* space,
                       float* y);
  static at::Tensor blocks_of(const Stage& stage, const at::Tensor& x_BTC, double slope);

  FoldedConv pre_;
  std::optional<FoldedConv> condition_;
  std::vector<Stage> stages_;
  WinogradConv post_;
};

}  // namespace valetts
