#include "model/decoder.h"

#include <algorithm>

#include "core/module_scope.h"
#include "core/precision.h"

namespace valetts {

namespace {
constexpr double kSlope = kDecoderSlope;
constexpr double kFinalSlope = kDecoderFinalSlope;
constexpr int64_t kOuterReach = 3;  // of the first and the last convolution
}  // namespace

int64_t decoder_reach_frames(const ModelSettings& settings) {
  int64_t reach = kOuterReach;
  for (size_t i = settings.upsample_rates.size(); i-- > 0;) {
    int64_t widest = 0;
    for (size_t k = 0; k < settings.resblock_kernel_sizes.size(); ++k) {
      int64_t steps = 0;
      for (const int64_t dilation : settings.resblock_dilations[k]) {
        steps += dilation + (settings.resblock_kind == 1 ? 1 : 0);
      }
      widest = std::max(widest, (settings.resblock_kernel_sizes[k] - 1) / 2 * steps);
    }
    // Sample n of a transposed convolution takes inputs (n + padding - kernel + 1) / rate to (n + padding) / rate.
    reach = (reach + widest + settings.upsample_kernel_sizes[i]) / settings.upsample_rates[i] + 1;
  }
  return reach + kOuterReach;
}

Decoder::Decoder(ParameterStore& store, const std::string& name, const ModelSettings& settings)
    : kernels_(settings.resblock_kernel_sizes.size()) {
  int64_t channels = settings.upsample_initial_channels;
  pre_ = Conv1d(store, name + ".conv_pre", settings.inter_channels, channels, 7, {.padding = 3});
  for (size_t i = 0; i < settings.upsample_rates.size(); ++i) {
    upsamples_.emplace_back(store, name + ".ups." + std::to_string(i), channels >> i, channels >> (i + 1),
                            settings.upsample_kernel_sizes[i], settings.upsample_rates[i]);
  }
  for (size_t i = 0; i < settings.upsample_rates.size(); ++i) {
    const int64_t width = channels >> (i + 1);
    for (size_t k = 0; k < kernels_; ++k) {
      const std::string block_name = name + ".resblocks." + std::to_string(blocks_.size());
      const int64_t kernel = settings.resblock_kernel_sizes[k];
      const auto& dilations = settings.resblock_dilations[k];
      auto convs = [&](const char* list, bool dilated) {
        std::vector<WeightNormConv1d> out;
        for (size_t d = 0; d < dilations.size(); ++d) {
          const int64_t dilation = dilated ? dilations[d] : 1;
          out.emplace_back(store, block_name + "." + list + "." + std::to_string(d), width, width, kernel,
                           ConvOptions{.padding = (kernel - 1) * dilation / 2, .dilation = dilation});
        }
        return out;
      };
      ResidualBlock block;
      if (settings.resblock_kind == 1) {
        block.first = convs("convs1", true);
        block.second = convs("convs2", false);
      } else {
        block.first = convs("convs", true);
      }
      blocks_.push_back(std::move(block));
    }
  }
  const int64_t last = channels >> settings.upsample_rates.size();
  post_ = Conv1d(store, name + ".conv_post", last, 1, 7, {.padding = 3, .bias = false});
  if (settings.speaker_channels > 0) condition_ = Conv1d(store, name + ".cond", settings.speaker_channels, channels, 1);
}

FoldedDecoder Decoder::folded() const {
  const auto all = [](const auto& convs) {
    std::vector<FoldedConv> out;
    for (const auto& conv : convs) out.push_back(conv.folded());
    return out;
  };
  FoldedDecoder out;
  out.pre = pre_.folded();
  if (condition_) out.condition = condition_->folded();
  out.upsamples = all(upsamples_);
  for (const ResidualBlock& block : blocks_) out.blocks.push_back({all(block.first), all(block.second)});
  out.post = post_.folded();
  return out;
}

at::Tensor Decoder::ResidualBlock::operator()(const at::Tensor& x_BCT) const {
  at::Tensor x = x_BCT;
  for (size_t i = 0; i < first.size(); ++i) {
    at::Tensor y = first[i](at::leaky_relu(x, kSlope));
    if (!second.empty()) y = second[i](at::leaky_relu(y, kSlope));
    x = x + y;
  }
  return x;
}

at::Tensor Decoder::operator()(const at::Tensor& z_BCS, const at::Tensor& speaker_BG1) const {
  const ModuleScope scope("decoder");
  at::Tensor x = pre_(z_BCS);
  if (condition_ && speaker_BG1.defined()) x = x + (*condition_)(speaker_BG1);
  for (size_t i = 0; i < upsamples_.size(); ++i) {
    x = upsamples_[i](at::leaky_relu(x, kSlope));
    at::Tensor sum;
    for (size_t k = 0; k < kernels_; ++k) {
      at::Tensor y = blocks_[i * kernels_ + k](x);
      sum = sum.defined() ? sum + y : y;
    }
    x = sum / static_cast<double>(kernels_);
  }
  return at::tanh(widened(post_(at::leaky_relu(x, kFinalSlope))));
}

}  // namespace valetts
