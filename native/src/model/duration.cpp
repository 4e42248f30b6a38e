#include "model/duration.h"

#include <cmath>

#include "core/module_scope.h"
#include "core/precision.h"
#include "spline/spline.h"

namespace valetts {

namespace {

constexpr int64_t kKernel = 3;
constexpr double kPredictorDropout = 0.5;
constexpr int64_t kStackLayers = 3;
constexpr int64_t kSplineFlows = 4;
constexpr int64_t kSplineBins = 10;
constexpr double kSplineTail = 5.0;
constexpr int64_t kDeterministicFilter = 256;
const double kLogTwoPi = std::log(2.0 * M_PI);

}  // namespace

DeterministicDurationPredictor::DeterministicDurationPredictor(ParameterStore& store, const std::string& name,
                                                               const ModelSettings& settings) {
  const int64_t hidden = settings.hidden_channels;
  const ConvOptions same{.padding = kKernel / 2};
  conv_1_ = Conv1d(store, name + ".conv_1", hidden, kDeterministicFilter, kKernel, same);
  norm_1_ = ChannelNorm(store, name + ".norm_1", kDeterministicFilter);
  conv_2_ = Conv1d(store, name + ".conv_2", kDeterministicFilter, kDeterministicFilter, kKernel, same);
  norm_2_ = ChannelNorm(store, name + ".norm_2", kDeterministicFilter);
  projection_ = Conv1d(store, name + ".proj", kDeterministicFilter, 1, 1);
  dropout_1_ = Dropout(store, kPredictorDropout);
  dropout_2_ = Dropout(store, kPredictorDropout);
  if (settings.speaker_channels > 0) {
    condition_ = Conv1d(store, name + ".cond", settings.speaker_channels, hidden, 1);
  }
}

at::Tensor DeterministicDurationPredictor::operator()(const at::Tensor& hidden_BHT, const at::Tensor& mask_B1T,
                                                      const at::Tensor& speaker_BG1, const Pass& pass) const {
  at::Tensor x = hidden_BHT.detach();
  if (condition_ && speaker_BG1.defined()) x = x + (*condition_)(speaker_BG1.detach());
  x = dropout_1_(norm_1_(at::relu(conv_1_(x * mask_B1T)), mask_B1T), pass);
  x = dropout_2_(norm_2_(at::relu(conv_2_(x)), mask_B1T), pass);
  return widened(projection_(x)) * mask_B1T;
}

StochasticDurationPredictor::Branch StochasticDurationPredictor::make_branch(ParameterStore& store,
                                                                             const std::string& name, int64_t channels,
                                                                             int64_t kernel) {
  Branch branch;
  branch.affine_mean = store.add_constant(name + ".0.m", {2, 1}, 0.0);
  branch.affine_log_scale = store.add_constant(name + ".0.logs", {2, 1}, 0.0);
  for (int64_t i = 0; i < kSplineFlows; ++i) {
    // Odd indices are spline flows, even ones beyond 0 are the flips, which hold nothing.
    const std::string flow = name + "." + std::to_string(2 * i + 1);
    SplineFlow spline;
    spline.pre = Conv1d(store, flow + ".pre", 1, channels, 1);
    spline.convs = DepthSeparableStack(store, flow + ".convs", channels, kernel, kStackLayers, 0.0);
    spline.projection = Conv1d(store, flow + ".proj", channels, 3 * kSplineBins - 1, 1, {}, ConvInit::kZero);
    branch.splines.push_back(std::move(spline));
  }
  return branch;
}

StochasticDurationPredictor::StochasticDurationPredictor(ParameterStore& store, const std::string& name,
                                                         const ModelSettings& settings)
    : channels_(settings.hidden_channels) {
  prior_ = make_branch(store, name + ".flows", channels_, kKernel);
  posterior_pre_ = Conv1d(store, name + ".post_pre", 1, channels_, 1);
  posterior_projection_ = Conv1d(store, name + ".post_proj", channels_, channels_, 1);
  posterior_convs_ =
      DepthSeparableStack(store, name + ".post_convs", channels_, kKernel, kStackLayers, kPredictorDropout);
  posterior_ = make_branch(store, name + ".post_flows", channels_, kKernel);
  pre_ = Conv1d(store, name + ".pre", channels_, channels_, 1);
  projection_ = Conv1d(store, name + ".proj", channels_, channels_, 1);
  convs_ = DepthSeparableStack(store, name + ".convs", channels_, kKernel, kStackLayers, kPredictorDropout);
  if (settings.speaker_channels > 0) {
    speaker_ = Conv1d(store, name + ".cond", settings.speaker_channels, channels_, 1);
  }
}

at::Tensor StochasticDurationPredictor::condition(const at::Tensor& hidden_BHT, const at::Tensor& mask_B1T,
                                                  const at::Tensor& speaker_BG1, const Pass& pass) const {
  at::Tensor x = pre_(hidden_BHT.detach());
  if (speaker_ && speaker_BG1.defined()) x = x + (*speaker_)(speaker_BG1.detach());
  return projection_(convs_(x, mask_B1T, at::Tensor(), pass)) * mask_B1T;
}

std::pair<at::Tensor, at::Tensor> StochasticDurationPredictor::spline(const SplineFlow& flow, const at::Tensor& z_B2T,
                                                                      const at::Tensor& mask_B1T,
                                                                      const at::Tensor& condition_BHT, bool inverse,
                                                                      const Pass& pass) const {
  const at::Tensor z0 = z_B2T.narrow(1, 0, 1), z1 = z_B2T.narrow(1, 1, 1);
  const at::Tensor h_BPT = widened(flow.projection(flow.convs(flow.pre(z0), mask_B1T, condition_BHT, pass)));
  const FullPrecisionIsland island;
  const double scale = 1.0 / std::sqrt(static_cast<double>(channels_));
  const auto [y_B1T, log_determinant_B] = masked_spline(z1, h_BPT, mask_B1T, scale, inverse, kSplineTail);
  return {at::cat({z0 * mask_B1T, y_B1T}, 1), log_determinant_B};
}

std::pair<at::Tensor, at::Tensor> StochasticDurationPredictor::run(const Branch& branch, const at::Tensor& z_B2T,
                                                                   const at::Tensor& mask_B1T,
                                                                   const at::Tensor& condition_BHT,
                                                                   const Pass& pass) const {
  at::Tensor z = (branch.affine_mean + at::exp(branch.affine_log_scale) * z_B2T) * mask_B1T;
  at::Tensor log_determinant_B = (branch.affine_log_scale * mask_B1T).sum({1, 2});
  for (const SplineFlow& flow : branch.splines) {
    auto [next, log_derivative_B] = spline(flow, z, mask_B1T, condition_BHT, false, pass);
    z = next.flip({1});
    log_determinant_B = log_determinant_B + log_derivative_B;
  }
  return {z, log_determinant_B};
}

at::Tensor StochasticDurationPredictor::negative_log_likelihood_B(const at::Tensor& condition_BHT,
                                                                  const at::Tensor& mask_B1T,
                                                                  const at::Tensor& durations_B1T,
                                                                  const Pass& pass) const {
  at::Tensor h = posterior_convs_(posterior_pre_(durations_B1T), mask_B1T, at::Tensor(), pass);
  h = posterior_projection_(h) * mask_B1T;
  const at::Tensor draw =
      pass.noise.normal_BCT(NoiseStream::kDurationPosterior, 2, durations_B1T.size(2)).to(durations_B1T.scalar_type()) *
      mask_B1T;
  auto [z_q, log_determinant_q_B] = run(posterior_, draw, mask_B1T, condition_BHT + h, pass);
  const at::Tensor z_u = z_q.narrow(1, 0, 1), z_1 = z_q.narrow(1, 1, 1);
  // Dequantisation: a duration w becomes w - u with u in (0,1), then its logarithm.
  const at::Tensor u = at::sigmoid(z_u) * mask_B1T;
  const at::Tensor z_0 = (durations_B1T - u) * mask_B1T;
  log_determinant_q_B =
      log_determinant_q_B + ((at::log_sigmoid(z_u) + at::log_sigmoid(-z_u)) * mask_B1T).sum({1, 2});
  const at::Tensor log_q_B =
      (-0.5 * (kLogTwoPi + at::square(draw)) * mask_B1T).sum({1, 2}) - log_determinant_q_B;

  const at::Tensor log_z_0 = at::log(z_0.clamp_min(1e-5)) * mask_B1T;
  auto [z, log_determinant_B] = run(prior_, at::cat({log_z_0, z_1}, 1), mask_B1T, condition_BHT, pass);
  log_determinant_B = log_determinant_B - log_z_0.sum({1, 2});
  const at::Tensor negative_log_p_B =
      (0.5 * (kLogTwoPi + at::square(z)) * mask_B1T).sum({1, 2}) - log_determinant_B;
  return negative_log_p_B + log_q_B;
}

at::Tensor StochasticDurationPredictor::sample(const at::Tensor& condition_BHT, const at::Tensor& mask_B1T,
                                               double noise_scale, const Pass& pass) const {
  at::Tensor z = pass.noise.normal_BCT(NoiseStream::kDurationReverse, 2, mask_B1T.size(2)) * noise_scale;
  z = z.to(prior_.affine_mean.scalar_type());
  // The reference leaves the first spline flow out of the sampling pass.
  for (size_t i = prior_.splines.size(); i-- > 1;) {
    z = spline(prior_.splines[i], z.flip({1}), mask_B1T, condition_BHT, true, pass).first;
  }
  z = z.flip({1});
  z = (z - prior_.affine_mean) * at::exp(-prior_.affine_log_scale) * mask_B1T;
  return z.narrow(1, 0, 1);
}

DurationDiscriminator::DurationDiscriminator(ParameterStore& store, const ModelSettings& settings)
    : normalised_(settings.duration_discriminator == DurationDiscriminatorKind::kV2) {
  const int64_t hidden = settings.hidden_channels;
  const ConvOptions same{.padding = kKernel / 2};
  conv_1_ = Conv1d(store, "conv_1", hidden, hidden, kKernel, same);
  if (normalised_) norm_1_ = ChannelNorm(store, "norm_1", hidden);
  conv_2_ = Conv1d(store, "conv_2", hidden, hidden, kKernel, same);
  if (normalised_) norm_2_ = ChannelNorm(store, "norm_2", hidden);
  duration_ = Conv1d(store, "dur_proj", 1, hidden, 1);
  out_1_ = Conv1d(store, "pre_out_conv_1", 2 * hidden, hidden, kKernel, same);
  // V1 stores these two norms without using them.
  out_norm_1_ = ChannelNorm(store, "pre_out_norm_1", hidden);
  out_2_ = Conv1d(store, "pre_out_conv_2", hidden, hidden, kKernel, same);
  out_norm_2_ = ChannelNorm(store, "pre_out_norm_2", hidden);
  output_ = Linear(store, "output_layer.0", hidden, 1);
}

at::Tensor DurationDiscriminator::operator()(const at::Tensor& hidden_BHT, const at::Tensor& mask_B1T,
                                             const at::Tensor& log_durations_B1T) const {
  const ModuleScope scope("discriminator, durations");
  // A hundredth of a step's work, and its real and generated terms nearly cancel: float32 throughout.
  const FullPrecisionIsland island;
  auto step = [&](const Conv1d& conv, const ChannelNorm& norm, const at::Tensor& x) {
    const at::Tensor y = conv(x);
    return normalised_ ? norm(at::relu(y), mask_B1T) : y * mask_B1T;
  };
  at::Tensor x = step(conv_1_, norm_1_, widened(hidden_BHT).detach() * mask_B1T);
  x = step(conv_2_, norm_2_, x);
  x = at::cat({x, duration_(widened(log_durations_B1T)) * mask_B1T}, 1);
  x = step(out_1_, out_norm_1_, x);
  x = step(out_2_, out_norm_2_, x);
  return at::sigmoid(output_(x.transpose(1, 2)));
}

}  // namespace valetts
