#include "model/layers.h"

#include <cmath>

#include "attention/attention.h"
#include "channel_norm/channel_norm.h"
#include "core/module_scope.h"
#include "core/path.h"
#include "core/precision.h"
#include "wavenet/wavenet.h"
#include "weight_norm/weight_norm.h"

namespace valetts {

namespace {

// torch's default bound for convolution and linear weights and biases: 1 / sqrt(fan in).
double default_bound(at::IntArrayRef weight_shape) {
  int64_t fan_in = 1;
  for (size_t i = 1; i < weight_shape.size(); ++i) fan_in *= weight_shape[i];
  return 1.0 / std::sqrt(static_cast<double>(fan_in));
}

thread_local const NormalisedWeights* innermost_weights = nullptr;

std::string indexed(const std::string& name, const char* list, size_t index) {
  return name + "." + list + "." + std::to_string(index);
}

}  // namespace

at::Tensor Dropout::keep(int64_t channels, int64_t time, const Pass& pass) const {
  if (!pass.training || probability_ <= 0.0) return {};
  return pass.noise.keep_mask_BCT(site_, channels, time, probability_);
}

at::Tensor Dropout::operator()(const at::Tensor& x_BCT, const Pass& pass) const {
  const at::Tensor kept = keep(x_BCT.size(1), x_BCT.size(2), pass);
  return kept.defined() ? x_BCT * kept : x_BCT;
}

at::Tensor Dropout::keep_of_attention(int64_t heads, int64_t time, const Pass& pass) const {
  if (!pass.training || probability_ <= 0.0) return {};
  // Rows are numbered query-major, so that padding more queries does not move a draw.
  return pass.noise.keep_mask_BCT(site_, time * heads, time, probability_);
}

Conv1d::Conv1d(ParameterStore& store, const std::string& name, int64_t in, int64_t out, int64_t kernel,
               ConvOptions options, ConvInit init)
    : options_(options) {
  const std::vector<int64_t> shape{out, in / options.groups, kernel};
  const double bound = init == ConvInit::kZero ? 0.0 : default_bound(shape);
  const double glorot = std::sqrt(6.0 / static_cast<double>((in / options.groups + out) * kernel));
  weight_ = store.add_uniform(name + ".weight", shape, init == ConvInit::kXavier ? glorot : bound);
  if (options.bias) bias_ = store.add_uniform(name + ".bias", {out}, bound);
}

at::Tensor Conv1d::operator()(const at::Tensor& x_BCT) const {
  return at::conv1d(x_BCT, weight_, bias_, options_.stride, options_.padding, options_.dilation, options_.groups);
}

at::Tensor Conv1d::rectified(const at::Tensor& x_BCT, double slope, const at::Tensor& keep_BCT,
                             const at::Tensor& mask_B1T) const {
  const auto convolve = [&](const at::Tensor& bias) {
    return at::conv1d(x_BCT, weight_, bias, options_.stride, options_.padding, options_.dilation, options_.groups);
  };
  return convolved_and_rectified(convolve, bias_, slope, keep_BCT, mask_B1T);
}

WeightNorm::WeightNorm(ParameterStore& store, const std::string& name, at::IntArrayRef weight_shape,
                       int64_t bias_size) {
  const double bound = default_bound(weight_shape);
  bias_ = store.add_uniform(name + ".bias", {bias_size}, bound);
  // Stored before the direction, set from it: the gain starts as its norm.
  std::vector<int64_t> gain_shape(weight_shape.size(), 1);
  gain_shape[0] = weight_shape[0];
  weight_g_ = store.add_constant(name + ".weight_g", gain_shape, 0.0);
  weight_v_ = store.add_uniform(name + ".weight_v", weight_shape, bound);
  index_ = store.add_normalised_pair(weight_v_, weight_g_);
  network_ = store.normalised_pairs();
  at::NoGradGuard no_grad;
  weight_g_.copy_(weight_v_.flatten(1).norm(2, 1).view(gain_shape));
}

at::Tensor WeightNorm::weight() const {
  for (const NormalisedWeights* scope = innermost_weights; scope != nullptr && !on_plain_path(); scope = scope->outer_) {
    if (scope->network_ != network_) continue;
    const at::Tensor& weight = scope->weights_[index_];
    if (!weight.defined()) continue;
    const bool needs_gradient = at::GradMode::is_enabled() && (weight_v_.requires_grad() || weight_g_.requires_grad());
    if (weight.requires_grad() || !needs_gradient) return weight;
  }
  return at::_weight_norm(weight_v_, weight_g_, 0);
}

NormalisedWeights::NormalisedWeights(const ParameterStore& store)
    : network_(store.normalised_pairs()), outer_(innermost_weights) {
  if (!on_plain_path()) {
    const ModuleScope scope("weight norm");
    weights_ = weight_norms(network_->directions, network_->gains);
    innermost_weights = this;
  }
}

NormalisedWeights::NormalisedWeights(const ParameterStore& store, std::vector<at::Tensor> weights)
    : network_(store.normalised_pairs()), weights_(std::move(weights)), outer_(innermost_weights) {
  VT_CHECK_ARG(weights_.size() == network_->gains.size(), weights_.size(), " weights for a network of ",
               network_->gains.size());
  innermost_weights = this;
}

std::vector<at::Tensor> NormalisedWeights::in_scope() {
  std::vector<at::Tensor> all;
  for (const NormalisedWeights* scope = innermost_weights; scope != nullptr; scope = scope->outer_) {
    all.insert(all.end(), scope->weights_.begin(), scope->weights_.end());
  }
  return all;
}

NormalisedWeights::~NormalisedWeights() { innermost_weights = outer_; }

WeightNormConv1d::WeightNormConv1d(ParameterStore& store, const std::string& name, int64_t in, int64_t out,
                                   int64_t kernel, ConvOptions options)
    : norm_(store, name, {out, in / options.groups, kernel}, out), options_(options) {}

at::Tensor WeightNormConv1d::operator()(const at::Tensor& x_BCT) const {
  return at::conv1d(x_BCT, norm_.weight(), norm_.bias(), options_.stride, options_.padding, options_.dilation,
                    options_.groups);
}

at::Tensor WeightNormConv1d::rectified(const at::Tensor& x_BCT, double slope) const {
  const auto convolve = [&](const at::Tensor& bias) {
    return at::conv1d(x_BCT, norm_.weight(), bias, options_.stride, options_.padding, options_.dilation, options_.groups);
  };
  return convolved_and_rectified(convolve, norm_.bias(), slope);
}

WeightNormConvTranspose1d::WeightNormConvTranspose1d(ParameterStore& store, const std::string& name, int64_t in,
                                                     int64_t out, int64_t kernel, int64_t stride)
    : norm_(store, name, {in, out, kernel}, out), stride_(stride), padding_((kernel - stride) / 2) {}

at::Tensor WeightNormConvTranspose1d::operator()(const at::Tensor& x_BCT) const {
  return at::conv_transpose1d(x_BCT, norm_.weight(), norm_.bias(), stride_, padding_);
}

ChannelNorm::ChannelNorm(ParameterStore& store, const std::string& name, int64_t channels)
    : gamma_(store.add_constant(name + ".gamma", {channels}, 1.0)),
      beta_(store.add_constant(name + ".beta", {channels}, 0.0)) {}

at::Tensor ChannelNorm::operator()(const at::Tensor& x_BCT, const at::Tensor& mask_B1T) const {
  return channel_norm(widened(x_BCT), gamma_, beta_, mask_B1T);
}

Linear::Linear(ParameterStore& store, const std::string& name, int64_t in, int64_t out) {
  const double bound = default_bound({out, in});
  weight_ = store.add_uniform(name + ".weight", {out, in}, bound);
  bias_ = store.add_uniform(name + ".bias", {out}, bound);
}

at::Tensor Linear::operator()(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }

SelfAttention::SelfAttention(ParameterStore& store, const std::string& name, int64_t channels, int64_t heads,
                             int64_t window, double dropout)
    : heads_(heads), window_(window), dropout_(store, dropout) {
  const int64_t head_channels = channels / heads;
  if (window > 0) {
    const double deviation = 1.0 / std::sqrt(static_cast<double>(head_channels));
    relative_key_ = store.add_normal(name + ".emb_rel_k", {1, 2 * window + 1, head_channels}, deviation);
    relative_value_ = store.add_normal(name + ".emb_rel_v", {1, 2 * window + 1, head_channels}, deviation);
  }
  query_ = Conv1d(store, name + ".conv_q", channels, channels, 1, {}, ConvInit::kXavier);
  key_ = Conv1d(store, name + ".conv_k", channels, channels, 1, {}, ConvInit::kXavier);
  value_ = Conv1d(store, name + ".conv_v", channels, channels, 1, {}, ConvInit::kXavier);
  output_ = Conv1d(store, name + ".conv_o", channels, channels, 1);
}

at::Tensor SelfAttention::operator()(const at::Tensor& x_BCT, const at::Tensor& mask_B1T, const Pass& pass) const {
  const int64_t batch = x_BCT.size(0), channels = x_BCT.size(1), time = x_BCT.size(2);
  const int64_t head_channels = channels / heads_;
  auto split = [&](const at::Tensor& t) { return t.view({batch, heads_, head_channels, time}).transpose(2, 3); };
  const at::Tensor query = split(query_(x_BCT)), key = split(key_(x_BCT)), value = split(value_(x_BCT));
  const at::Tensor scores = at::matmul(query, key.transpose(-2, -1));
  at::Tensor band;
  if (window_ > 0) band = at::matmul(query, relative_key_.transpose(-2, -1));
  const AttentionWeights seen =
      attention_weights(scores, band, mask_B1T, dropout_.keep_of_attention(heads_, time, pass),
                        1.0 / std::sqrt(static_cast<double>(head_channels)), window_);
  at::Tensor mixed = at::matmul(seen.weights_BhTT, value);
  if (window_ > 0) mixed = mixed + at::matmul(seen.diagonals_BhTW, relative_value_);
  return output_(mixed.transpose(2, 3).contiguous().view({batch, channels, time}));
}

TransformerEncoder::TransformerEncoder(ParameterStore& store, const std::string& name,
                                       const TransformerSettings& settings)
    : layers_(static_cast<size_t>(settings.layers)) {
  const ConvOptions same{.padding = settings.kernel_size / 2};
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].attention = SelfAttention(store, indexed(name, "attn_layers", i), settings.channels, settings.heads,
                                         settings.window, settings.dropout);
    layers_[i].after_attention = Dropout(store, settings.dropout);
    layers_[i].inside_filter = Dropout(store, settings.dropout);
    layers_[i].after_filter = Dropout(store, settings.dropout);
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].norm_1 = ChannelNorm(store, indexed(name, "norm_layers_1", i), settings.channels);
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    const std::string ffn = indexed(name, "ffn_layers", i);
    layers_[i].filter_1 =
        Conv1d(store, ffn + ".conv_1", settings.channels, settings.filter_channels, settings.kernel_size, same);
    layers_[i].filter_2 =
        Conv1d(store, ffn + ".conv_2", settings.filter_channels, settings.channels, settings.kernel_size, same);
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].norm_2 = ChannelNorm(store, indexed(name, "norm_layers_2", i), settings.channels);
  }
  if (settings.speaker_channels > 0) {
    speaker_ = Linear(store, name + ".spk_emb_linear", settings.speaker_channels, settings.channels);
  }
}

at::Tensor TransformerEncoder::operator()(const at::Tensor& x_BCT, const at::Tensor& mask_B1T,
                                          const at::Tensor& speaker_BG1, const Pass& pass) const {
  constexpr size_t kSpeakerLayer = 2;
  at::Tensor x = x_BCT * mask_B1T;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    if (speaker_ && i == kSpeakerLayer && speaker_BG1.defined()) {
      x = (x + (*speaker_)(speaker_BG1.transpose(1, 2)).transpose(1, 2)) * mask_B1T;
    }
    at::Tensor y = layer.attention(x, mask_B1T, pass);
    x = layer.norm_1(residual(x, y, layer.after_attention.keep(y.size(1), y.size(2), pass)), mask_B1T);
    y = layer.filter_1.rectified(x, 0.0, layer.inside_filter.keep(layer.filter_1.channels(), x.size(2), pass), mask_B1T);
    y = layer.filter_2(y);
    x = layer.norm_2(residual(x, y, layer.after_filter.keep(y.size(1), y.size(2), pass), mask_B1T), mask_B1T);
  }
  return x;
}

int64_t TransformerEncoder::parameter_count(const TransformerSettings& s) {
  const int64_t attention = 4 * (s.channels * s.channels + s.channels) +
                            (s.window > 0 ? 2 * (2 * s.window + 1) * (s.channels / s.heads) : 0);
  const int64_t filter = 2 * s.channels * s.filter_channels * s.kernel_size + s.filter_channels + s.channels;
  const int64_t speaker = s.speaker_channels > 0 ? s.speaker_channels * s.channels + s.channels : 0;
  return s.layers * (attention + filter + 4 * s.channels) + speaker;
}

WaveNet::WaveNet(ParameterStore& store, const std::string& name, int64_t hidden, int64_t kernel, int64_t layers,
                 int64_t speaker_channels)
    : hidden_(hidden) {
  for (int64_t i = 0; i < layers; ++i) {
    in_layers_.emplace_back(store, indexed(name, "in_layers", i), hidden, 2 * hidden, kernel,
                            ConvOptions{.padding = kernel / 2});
  }
  for (int64_t i = 0; i < layers; ++i) {
    const int64_t out = i + 1 < layers ? 2 * hidden : hidden;
    res_skip_layers_.emplace_back(store, indexed(name, "res_skip_layers", i), hidden, out, 1);
  }
  if (speaker_channels > 0) {
    condition_ = WeightNormConv1d(store, name + ".cond_layer", speaker_channels, 2 * hidden * layers, 1);
  }
}

at::Tensor WaveNet::operator()(const at::Tensor& x_BCT, const at::Tensor& mask_B1T,
                               const at::Tensor& speaker_BG1) const {
  at::Tensor x = x_BCT;
  at::Tensor skip;
  at::Tensor condition;
  if (condition_ && speaker_BG1.defined()) condition = (*condition_)(speaker_BG1);
  for (size_t i = 0; i < in_layers_.size(); ++i) {
    const at::Tensor layer_condition =
        condition.defined() ? condition.narrow(1, static_cast<int64_t>(i) * 2 * hidden_, 2 * hidden_) : condition;
    const at::Tensor r = res_skip_layers_[i](wavenet_gate(in_layers_[i](x), layer_condition));
    if (i + 1 < in_layers_.size()) {
      std::tie(x, skip) = wavenet_residual(x, r, mask_B1T, skip);
    } else {
      skip = skip.defined() ? skip + r : r;
    }
  }
  return skip * mask_B1T;
}

DepthSeparableStack::DepthSeparableStack(ParameterStore& store, const std::string& name, int64_t channels,
                                         int64_t kernel, int64_t layers, double dropout)
    : layers_(static_cast<size_t>(layers)) {
  int64_t dilation = 1;
  for (size_t i = 0; i < layers_.size(); ++i, dilation *= kernel) {
    layers_[i].separable =
        Conv1d(store, indexed(name, "convs_sep", i), channels, channels, kernel,
               ConvOptions{.padding = (kernel - 1) * dilation / 2, .dilation = dilation, .groups = channels});
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].pointwise = Conv1d(store, indexed(name, "convs_1x1", i), channels, channels, 1);
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].norm_1 = ChannelNorm(store, indexed(name, "norms_1", i), channels);
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].norm_2 = ChannelNorm(store, indexed(name, "norms_2", i), channels);
    layers_[i].dropout = Dropout(store, dropout);
  }
}

at::Tensor DepthSeparableStack::operator()(const at::Tensor& x_BCT, const at::Tensor& mask_B1T,
                                           const at::Tensor& condition_BCT, const Pass& pass) const {
  at::Tensor x = condition_BCT.defined() ? x_BCT + condition_BCT : x_BCT;
  for (const Layer& layer : layers_) {
    at::Tensor y = at::gelu(layer.norm_1(layer.separable(x * mask_B1T)));
    y = at::gelu(layer.norm_2(layer.pointwise(y)));
    x = residual(x, y, layer.dropout.keep(y.size(1), y.size(2), pass));
  }
  return x * mask_B1T;
}

}  // namespace valetts
