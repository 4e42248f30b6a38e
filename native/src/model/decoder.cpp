#include "model/decoder.h"

#include <algorithm>
#include <tuple>

#include "core/module_scope.h"
#include "core/precision.h"
#include "epilogue/epilogue.h"
#include "snake/snake.h"

namespace valetts {

namespace {
constexpr double kSlope = kDecoderSlope;
constexpr double kFinalSlope = kDecoderFinalSlope;
constexpr int64_t kOuterReach = 3;  // of the first and the last convolution
}  // namespace

int64_t decoder_reach_frames(const ModelSettings& settings) {
  const int64_t of_activation = settings.decoder_kind == DecoderKind::kBigVgan ? kSnakeReach : 0;
  int64_t reach = kOuterReach + of_activation;
  for (size_t i = settings.upsample_rates.size(); i-- > 0;) {
    int64_t widest = 0;
    for (size_t k = 0; k < settings.resblock_kernel_sizes.size(); ++k) {
      int64_t steps = 0, activations = 0;
      for (const int64_t dilation : settings.resblock_dilations[k]) {
        steps += dilation + (settings.resblock_kind == 1 ? 1 : 0);
        activations += settings.resblock_kind == 1 ? 2 : 1;
      }
      widest = std::max(widest, (settings.resblock_kernel_sizes[k] - 1) / 2 * steps + activations * of_activation);
    }
    // Sample n of a transposed convolution takes inputs (n + padding - kernel + 1) / rate to (n + padding) / rate.
    reach = (reach + widest + settings.upsample_kernel_sizes[i]) / settings.upsample_rates[i] + 1;
  }
  return reach + kOuterReach;
}

PeriodicActivation::PeriodicActivation(ParameterStore& store, const std::string& name, int64_t channels)
    : alpha_(store.add_constant(name + ".act.alpha", {channels}, 0.0)),
      beta_(store.add_constant(name + ".act.beta", {channels}, 0.0)) {}

at::Tensor PeriodicActivation::operator()(const at::Tensor& x_BCT) const {
  const FullPrecisionIsland island;
  return anti_aliased_snake(widened(x_BCT), alpha_, beta_);
}

Decoder::Decoder(ParameterStore& store, const std::string& name, const ModelSettings& settings)
    : kernels_(settings.resblock_kernel_sizes.size()) {
  const bool periodic = settings.decoder_kind == DecoderKind::kBigVgan;
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
      for (size_t a = 0; periodic && a < block.first.size() + block.second.size(); ++a) {
        block.activations.emplace_back(store, block_name + ".activations." + std::to_string(a), width);
      }
      blocks_.push_back(std::move(block));
    }
  }
  const int64_t last = channels >> settings.upsample_rates.size();
  if (periodic) post_activation_ = PeriodicActivation(store, name + ".activation_post", last);
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

std::pair<at::Tensor, at::Tensor> Decoder::ResidualBlock::rectified(const at::Tensor& x_BCT,
                                                                    const at::Tensor& rectified_BCT) const {
  at::Tensor x = x_BCT, in = rectified_BCT;
  for (size_t i = 0;; ++i) {
    at::Tensor y = second.empty() ? first[i](in) : second[i](first[i].rectified(in, kSlope));
    if (i + 1 == first.size()) return {x, y};
    std::tie(x, in) = residual_activated(x, y, kSlope);
  }
}

at::Tensor Decoder::ResidualBlock::periodic(const at::Tensor& x_BCT) const {
  at::Tensor x = x_BCT;
  size_t activation = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    at::Tensor y = first[i](activations[activation++](x));
    if (!second.empty()) y = second[i](activations[activation++](y));
    x = residual(x, y);
  }
  return x;
}

at::Tensor Decoder::rectified(at::Tensor x_BCT) const {
  at::Tensor in = activated(std::move(x_BCT), {}, kSlope);
  for (size_t i = 0; i < upsamples_.size(); ++i) {
    const at::Tensor x = upsamples_[i](in);
    const at::Tensor shared = at::leaky_relu(x, kSlope);
    std::vector<at::Tensor> sums, last;
    for (size_t k = 0; k < kernels_; ++k) {
      auto [sum, y] = blocks_[i * kernels_ + k].rectified(x, shared);
      sums.push_back(std::move(sum));
      last.push_back(std::move(y));
    }
    in = mean_activated(sums, std::move(last), i + 1 < upsamples_.size() ? kSlope : kFinalSlope);
  }
  return in;
}

at::Tensor Decoder::periodic(at::Tensor x_BCT) const {
  at::Tensor x = std::move(x_BCT);
  for (size_t i = 0; i < upsamples_.size(); ++i) {
    x = upsamples_[i](x);
    at::Tensor sum;
    for (size_t k = 0; k < kernels_; ++k) {
      const at::Tensor y = blocks_[i * kernels_ + k].periodic(x);
      sum = sum.defined() ? sum + y : y;
    }
    x = sum / static_cast<double>(kernels_);
  }
  return (*post_activation_)(x);
}

at::Tensor Decoder::operator()(const at::Tensor& z_BCS, const at::Tensor& speaker_BG1) const {
  const ModuleScope scope("decoder");
  at::Tensor x = pre_(z_BCS);
  if (condition_ && speaker_BG1.defined()) x = x + (*condition_)(speaker_BG1);
  return at::tanh(widened(post_(post_activation_ ? periodic(std::move(x)) : rectified(std::move(x)))));
}

}  // namespace valetts
