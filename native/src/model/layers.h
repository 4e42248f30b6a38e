// Building blocks shared by the networks. All activations are [B,C,T]; masks are [B,1,T], 1 where valid.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/kernel_path.h"
#include "epilogue/epilogue.h"
#include "model/noise.h"
#include "model/parameters.h"

namespace valetts {

// Multiplies by a keyed keep mask; the identity when not training or with probability 0.
class Dropout {
 public:
  Dropout() = default;
  Dropout(ParameterStore& store, double probability)
      : probability_(probability), site_(store.next_dropout_site()) {}
  at::Tensor operator()(const at::Tensor& x_BCT, const Pass& pass) const;
  // The mask that it multiplies an [B, channels, time] with: 0 or 1/(1-p); undefined where it is the identity.
  at::Tensor keep(int64_t channels, int64_t time, const Pass& pass) const;
  // The same for attention weights [B, heads, T, T]: [B, T heads, T].
  at::Tensor keep_of_attention(int64_t heads, int64_t time, const Pass& pass) const;

 private:
  double probability_ = 0.0;
  uint32_t site_ = 0;
};

struct ConvOptions {
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t dilation = 1;
  int64_t groups = 1;
  bool bias = true;
};

// A convolution and its rectifier: `convolve` takes the bias. On a GPU, where libtorch adds a bias in a pass of its own, it is
// added with the rectifier.
template <typename Convolve>
at::Tensor convolved_and_rectified(const Convolve& convolve, const at::Tensor& bias_C, double slope,
                                   const at::Tensor& keep = {}, const at::Tensor& mask = {}) {
  const bool apart = bias_C.defined() && bias_C.is_cuda() && takes_kernel(bias_C);
  return activated(convolve(apart ? at::Tensor() : bias_C), apart ? bias_C : at::Tensor(), slope, keep, mask);
}

// A convolution's numbers without weight norm: what inference packs for the processor. `bias` may be undefined.
struct FoldedConv {
  at::Tensor weight;
  at::Tensor bias;
  ConvOptions options;
};

// kDefault is torch's; kZero starts a flow's output at the identity; kXavier is Glorot-uniform.
enum class ConvInit { kDefault, kZero, kXavier };

// Plain convolution over time.
class Conv1d {
 public:
  Conv1d() = default;
  Conv1d(ParameterStore& store, const std::string& name, int64_t in, int64_t out, int64_t kernel,
         ConvOptions options = {}, ConvInit init = ConvInit::kDefault);
  at::Tensor operator()(const at::Tensor& x_BCT) const;
  // Its rectified result (kernels/epilogue/epilogue.h: slope, keep, mask).
  at::Tensor rectified(const at::Tensor& x_BCT, double slope, const at::Tensor& keep_BCT, const at::Tensor& mask_B1T) const;
  FoldedConv folded() const { return {weight_, bias_, options_}; }
  int64_t channels() const { return weight_.size(0); }

 protected:
  at::Tensor weight_;
  at::Tensor bias_;
  ConvOptions options_;
};

// Weight normalisation w = g v / |v| (Salimans & Kingma 2016), norm over all dimensions but the first. The stored order
// is bias, weight_g, weight_v.
class WeightNorm {
 public:
  WeightNorm() = default;
  WeightNorm(ParameterStore& store, const std::string& name, at::IntArrayRef weight_shape, int64_t bias_size);
  // From the innermost NormalisedWeights of its network on this thread, else computed.
  at::Tensor weight() const;
  const at::Tensor& bias() const { return bias_; }

 private:
  at::Tensor bias_;
  at::Tensor weight_g_;
  at::Tensor weight_v_;
  std::shared_ptr<const NormalisedPairs> network_;
  size_t index_ = 0;  // among the network's pairs
};

// All weights of a network's weight-normed convolutions, computed at once when it begins. While it lives, those convolutions
// take them on this thread, however often they run; the weights must not change in that time. A pass with gradients does not
// take weights that were computed without.
class NormalisedWeights {
 public:
  explicit NormalisedWeights(const ParameterStore& store);
  // Takes weights that were computed before, in the order of the network's pairs; an undefined one is computed where it is
  // used.
  NormalisedWeights(const ParameterStore& store, std::vector<at::Tensor> weights);
  ~NormalisedWeights();
  NormalisedWeights(const NormalisedWeights&) = delete;
  NormalisedWeights& operator=(const NormalisedWeights&) = delete;
  // Those of all that live on this thread: what branches on streams of their own read.
  static std::vector<at::Tensor> in_scope();

 private:
  friend class WeightNorm;
  std::shared_ptr<const NormalisedPairs> network_;
  std::vector<at::Tensor> weights_;
  const NormalisedWeights* outer_;
};

class WeightNormConv1d {
 public:
  WeightNormConv1d() = default;
  WeightNormConv1d(ParameterStore& store, const std::string& name, int64_t in, int64_t out, int64_t kernel,
                   ConvOptions options = {});
  at::Tensor operator()(const at::Tensor& x_BCT) const;
  // Its rectified result (kernels/epilogue/epilogue.h: slope).
  at::Tensor rectified(const at::Tensor& x_BCT, double slope) const;
  FoldedConv folded() const { return {norm_.weight(), norm_.bias(), options_}; }

 private:
  WeightNorm norm_;
  ConvOptions options_;
};

// Transposed convolution; its weight is [in, out, kernel], so the norm runs over the input channels.
class WeightNormConvTranspose1d {
 public:
  WeightNormConvTranspose1d() = default;
  WeightNormConvTranspose1d(ParameterStore& store, const std::string& name, int64_t in, int64_t out, int64_t kernel,
                            int64_t stride);
  at::Tensor operator()(const at::Tensor& x_BCT) const;
  // The weight stays [in, out, kernel].
  FoldedConv folded() const {
    return {norm_.weight(), norm_.bias(), ConvOptions{.stride = stride_, .padding = padding_}};
  }

 private:
  WeightNorm norm_;
  int64_t stride_ = 1;
  int64_t padding_ = 0;
};

// LayerNorm over channels, eps 1e-5.
class ChannelNorm {
 public:
  ChannelNorm() = default;
  ChannelNorm(ParameterStore& store, const std::string& name, int64_t channels);
  // mask_B1T, if defined, multiplies the result.
  at::Tensor operator()(const at::Tensor& x_BCT, const at::Tensor& mask_B1T = {}) const;

 private:
  at::Tensor gamma_;
  at::Tensor beta_;
};

class Linear {
 public:
  Linear() = default;
  Linear(ParameterStore& store, const std::string& name, int64_t in, int64_t out);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_;
  at::Tensor bias_;
};

// Multi-head self-attention with optional relative positions in a window (Shaw et al. 2018, heads share them).
class SelfAttention {
 public:
  SelfAttention() = default;
  SelfAttention(ParameterStore& store, const std::string& name, int64_t channels, int64_t heads, int64_t window,
                double dropout);
  at::Tensor operator()(const at::Tensor& x_BCT, const at::Tensor& mask_B1T, const Pass& pass) const;

 private:
  int64_t heads_ = 1;
  int64_t window_ = 0;
  at::Tensor relative_key_;
  at::Tensor relative_value_;
  Conv1d query_, key_, value_, output_;
  Dropout dropout_;
};

struct TransformerSettings {
  int64_t channels;
  int64_t filter_channels;
  int64_t heads;
  int64_t layers;
  int64_t kernel_size;
  double dropout;
  int64_t window;            // 0: no positions
  int64_t speaker_channels;  // 0: no speaker condition
};

// Post-norm transformer encoder. With a speaker condition, the projected embedding is added before the third block
// (VITS2, section 2.4).
class TransformerEncoder {
 public:
  TransformerEncoder() = default;
  TransformerEncoder(ParameterStore& store, const std::string& name, const TransformerSettings& settings);
  at::Tensor operator()(const at::Tensor& x_BCT, const at::Tensor& mask_B1T, const at::Tensor& speaker_BG1,
                        const Pass& pass) const;
  static int64_t parameter_count(const TransformerSettings& settings);

 private:
  struct Layer {
    SelfAttention attention;
    ChannelNorm norm_1;
    Conv1d filter_1;
    Conv1d filter_2;
    ChannelNorm norm_2;
    Dropout after_attention;
    Dropout inside_filter;
    Dropout after_filter;
  };
  std::vector<Layer> layers_;
  std::optional<Linear> speaker_;
};

// Non-causal WaveNet stack with gated activations and global conditioning (WaveGlow's WN).
class WaveNet {
 public:
  WaveNet() = default;
  WaveNet(ParameterStore& store, const std::string& name, int64_t hidden, int64_t kernel, int64_t layers,
          int64_t speaker_channels);
  at::Tensor operator()(const at::Tensor& x_BCT, const at::Tensor& mask_B1T, const at::Tensor& speaker_BG1) const;

 private:
  int64_t hidden_ = 0;
  std::vector<WeightNormConv1d> in_layers_;
  std::vector<WeightNormConv1d> res_skip_layers_;
  std::optional<WeightNormConv1d> condition_;
};

// Dilated depth-separable convolutions (VITS, appendix B.2), dilation kernel^layer.
class DepthSeparableStack {
 public:
  DepthSeparableStack() = default;
  DepthSeparableStack(ParameterStore& store, const std::string& name, int64_t channels, int64_t kernel, int64_t layers,
                      double dropout);
  // condition_BCT may be undefined.
  at::Tensor operator()(const at::Tensor& x_BCT, const at::Tensor& mask_B1T, const at::Tensor& condition_BCT,
                        const Pass& pass) const;

 private:
  struct Layer {
    Conv1d separable;
    Conv1d pointwise;
    ChannelNorm norm_1;
    ChannelNorm norm_2;
    Dropout dropout;
  };
  std::vector<Layer> layers_;
};

}  // namespace valetts
