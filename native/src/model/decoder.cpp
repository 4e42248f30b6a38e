#include "model/decoder.h"

#include "core/precision.h"

namespace valetts {

namespace {
constexpr double kSlope = 0.1;
// The last activation keeps torch's default slope, as published weights expect.
constexpr double kFinalSlope = 0.01;
}  // namespace

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
