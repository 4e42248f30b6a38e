#include "train/trainer.h"

#include <cmath>
#include <filesystem>

#include "core/check.h"
#include "core/shapes.h"
#include "interop/safetensors.h"
#include "mas/mas.h"

namespace valetts {

namespace {

constexpr double kAlignmentNoiseStart = 0.01;
constexpr double kAlignmentNoiseDecay = 2e-6;
constexpr const char* kLossScaleFile = "/loss_scale.safetensors";

// No dropout and no noise but the posterior's, whose draw the one-sample KL needs; the same at every evaluation.
class EvaluationNoise : public NoiseSource {
 public:
  EvaluationNoise(int64_t batch, at::Device device) : batch_(batch), device_(device) {}
  at::Tensor normal_BCT(NoiseStream stream, int64_t channels, int64_t time) override {
    if (stream != NoiseStream::kPosterior) {
      return at::zeros({batch_, channels, time}, at::TensorOptions().device(device_));
    }
    std::vector<int64_t> items;
    for (int64_t b = 0; b < batch_; ++b) items.push_back(b);
    return KeyedNoise(0, 0, std::move(items), device_).normal_BCT(stream, channels, time);
  }
  at::Tensor uniform_B(NoiseStream) override { return at::zeros({batch_}); }
  at::Tensor keep_mask_BCT(uint32_t, int64_t, int64_t, double) override { return {}; }

 private:
  int64_t batch_;
  at::Device device_;
};

// x[b, :, start_b : start_b + length] for each item, zero beyond the end.
at::Tensor slices(const at::Tensor& x, const std::vector<int64_t>& starts_B, int64_t length) {
  const at::Tensor padded = x.size(2) < length ? at::constant_pad_nd(x, {0, length - x.size(2)}) : x;
  std::vector<at::Tensor> items;
  items.reserve(starts_B.size());
  for (size_t b = 0; b < starts_B.size(); ++b) {
    items.push_back(padded.select(0, static_cast<int64_t>(b)).narrow(1, starts_B[b], length));
  }
  return at::stack(items);
}

// The items first .. first + count - 1 of a discriminated batch.
DiscriminatorOutput items_of(const DiscriminatorOutput& batch, int64_t first, int64_t count) {
  DiscriminatorOutput out;
  for (const at::Tensor& logits : batch.logits) out.logits.push_back(logits.narrow(0, first, count));
  for (const std::vector<at::Tensor>& maps : batch.feature_maps) {
    std::vector<at::Tensor> items;
    for (const at::Tensor& map : maps) items.push_back(map.narrow(0, first, count));
    out.feature_maps.push_back(std::move(items));
  }
  return out;
}

void check_finite(const at::Tensor& value, const char* name) {
  const double number = value.item<double>();
  VT_CHECK_FINITE(std::isfinite(number), name, " is ", number);
}

// Separate streams of initial values for the three networks.
enum : uint64_t { kGeneratorSeed = 0, kDiscriminatorSeed = 1, kDurationSeed = 2 };

std::optional<DurationDiscriminator> make_duration_discriminator(ParameterStore& store, const ModelSettings& model) {
  if (model.duration_discriminator == DurationDiscriminatorKind::kNone) return std::nullopt;
  return DurationDiscriminator(store, model);
}

uint64_t network_seed(int64_t seed, uint64_t network) { return static_cast<uint64_t>(seed) * 4 + network; }

}  // namespace

Trainer::Trainer(const TrainerSettings& settings, at::Device device)
    : settings_(settings),
      device_(device),
      extractor_(settings.audio),
      generator_(std::make_shared<Generator>(settings.model, network_seed(settings.seed, kGeneratorSeed), device,
                                             parameter_type(settings.precision))),
      discriminator_store_(network_seed(settings.seed, kDiscriminatorSeed), device, parameter_type(settings.precision)),
      discriminator_(discriminator_store_, settings.model),
      duration_store_(network_seed(settings.seed, kDurationSeed), device, parameter_type(settings.precision)),
      duration_discriminator_(make_duration_discriminator(duration_store_, settings.model)),
      generator_optimizer_(generator_->parameters(), settings.optimizer),
      discriminator_optimizer_(discriminator_store_, settings.optimizer),
      duration_optimizer_(duration_store_, settings.optimizer),
      loss_scale_(settings.precision == Precision::kFp16, settings.initial_loss_scale, device),
      silent_mel_M_(silent_mel_M()) {}

at::Tensor Trainer::silent_mel_M() const {
  const at::Tensor silence =
      at::zeros({1, settings_.audio.fft_size + settings_.audio.hop_length},
                at::TensorOptions(parameter_type(settings_.precision)).device(device_));
  return extractor_.mel_BMS(silence).select(0, 0).select(1, 0);
}

DurationReduction Trainer::duration_reduction() const {
  if (!settings_.reference_padding) return DurationReduction::kValidMean;
  return settings_.model.duration_discriminator == DurationDiscriminatorKind::kV1
             ? DurationReduction::kPaddedMeanSummedOverBatch
             : DurationReduction::kPaddedMean;
}

StepInputs Trainer::prepare(const at::Tensor& token_ids_BT, const at::Tensor& token_lengths_B,
                            const at::Tensor& samples_BN, const at::Tensor& sample_lengths_B,
                            const at::Tensor& speaker_ids_B) const {
  at::NoGradGuard no_grad;
  StepInputs inputs;
  inputs.token_ids_BT = token_ids_BT.to(device_, at::kLong);
  inputs.token_lengths_B = token_lengths_B.to(device_, at::kLong);
  inputs.frame_lengths_B =
      at::div(sample_lengths_B.to(at::kLong), settings_.audio.hop_length, "floor").to(device_);
  const at::Tensor samples_on_device = samples_BN.to(device_, parameter_type(settings_.precision));
  const at::Tensor linear = extractor_.linear_of_ragged_BFS(samples_on_device, sample_lengths_B);
  const at::Tensor mask = length_mask_B1T(inputs.frame_lengths_B, linear.size(2));
  const at::Tensor mel = extractor_.mel_from_linear(linear);
  inputs.spectrogram = settings_.model.posterior_input == PosteriorInput::kMel ? mel * mask : linear;
  // Frames beyond the recording are silence to the mel loss; only clips shorter than a segment reach them.
  inputs.mel_BMS = at::where(mask > 0, mel, silent_mel_M_.view({1, -1, 1}));
  inputs.samples_B1N = samples_on_device.unsqueeze(1);
  if (speaker_ids_B.defined()) inputs.speaker_ids_B = speaker_ids_B.to(device_, at::kLong);
  return inputs;
}

at::Tensor Trainer::speaker_of(const StepInputs& inputs) const {
  return inputs.speaker_ids_B.defined() ? generator_->speaker_BG1(inputs.speaker_ids_B) : at::Tensor();
}

GeneratorPass Trainer::align(const StepInputs& inputs, int64_t step, const Pass& pass,
                             const at::Tensor* forced_durations_BT) const {
  const Generator& generator = *generator_;
  const at::Tensor speaker = speaker_of(inputs);
  GeneratorPass out;
  out.text = generator.text_encoder(inputs.token_ids_BT, inputs.token_lengths_B, speaker, pass);
  out.posterior = generator.posterior_encoder(inputs.spectrogram, inputs.frame_lengths_B, speaker, pass.noise);
  out.z_p_BCS = generator.flow.forward(out.posterior.z_BCS, out.posterior.mask_B1S, speaker, pass);
  const int64_t frames = inputs.spectrogram.size(2);
  {
    at::NoGradGuard no_grad;
    out.score_BST = alignment_score_BST(out.z_p_BCS, out.text.mean_BCT, out.text.log_std_BCT);
    const double noise_scale =
        std::max(0.0, kAlignmentNoiseStart - kAlignmentNoiseDecay * static_cast<double>(step));
    at::Tensor searched = out.score_BST;
    if (pass.training && settings_.model.noise_scaled_alignment && noise_scale > 0.0) {
      const at::Tensor draw =
          pass.noise.normal_BCT(NoiseStream::kAlignment, inputs.token_ids_BT.size(1), frames).transpose(1, 2);
      searched = noisy_score_BST(searched, draw, noise_scale, inputs.token_lengths_B, inputs.frame_lengths_B,
                                 settings_.reference_padding);
    }
    out.durations_BT = mas_path(searched.to(at::kFloat).contiguous(), inputs.token_lengths_B, inputs.frame_lengths_B);
  }
  out.found_durations_BT = out.durations_BT;
  if (forced_durations_BT != nullptr) out.durations_BT = forced_durations_BT->to(device_, at::kInt);
  const at::Tensor path_BTS = expand_durations_BST(out.durations_BT, frames).transpose(1, 2);
  {
    const FullPrecisionIsland island;
    out.mean_p_BCS = at::matmul(out.text.mean_BCT, path_BTS.to(out.text.mean_BCT.scalar_type()));
    out.log_std_p_BCS = at::matmul(out.text.log_std_BCT, path_BTS.to(out.text.log_std_BCT.scalar_type()));
  }

  const at::Tensor durations_B1T = out.durations_BT.to(generator.parameters().type()).unsqueeze(1);
  auto [duration_loss_B, log_durations] = generator.durations(out.text, durations_B1T, speaker, pass);
  out.duration_loss_B = duration_loss_B / out.text.mask_B1T.sum();
  out.log_durations_B1T = log_durations;
  out.log_durations_target_B1T = log_durations_B1T(durations_B1T, out.text.mask_B1T);
  return out;
}

void Trainer::decode_segment(const StepInputs& inputs, const Pass& pass, GeneratorPass& out) const {
  const at::Tensor uniform_B = pass.noise.uniform_B(NoiseStream::kSegment).to(at::kCPU);
  const at::Tensor frame_lengths_B = inputs.frame_lengths_B.to(at::kCPU);
  for (int64_t b = 0; b < uniform_B.size(0); ++b) {
    const int64_t positions =
        std::max<int64_t>(1, frame_lengths_B[b].item<int64_t>() - settings_.segment_frames + 1);
    out.segment_starts_B.push_back(static_cast<int64_t>(uniform_B[b].item<float>() * static_cast<float>(positions)));
  }
  out.z_segment_BCS = slices(out.posterior.z_BCS, out.segment_starts_B, settings_.segment_frames);
  const int64_t missing = std::max<int64_t>(0, settings_.segment_frames - inputs.mel_BMS.size(2));
  const at::Tensor mel =
      missing == 0 ? inputs.mel_BMS
                   : at::cat({inputs.mel_BMS, silent_mel_M_.view({1, -1, 1}).expand(
                                                  {inputs.mel_BMS.size(0), silent_mel_M_.size(0), missing})},
                             2);
  out.mel_segment_BMS = slices(mel, out.segment_starts_B, settings_.segment_frames);
  std::vector<int64_t> sample_starts_B;
  for (int64_t start : out.segment_starts_B) sample_starts_B.push_back(start * settings_.audio.hop_length);
  out.samples_segment_B1N =
      slices(inputs.samples_B1N, sample_starts_B, settings_.segment_frames * settings_.audio.hop_length);
  out.generated_B1N = generator_->decoder(out.z_segment_BCS, speaker_of(inputs));
  out.generated_mel_BMS = extractor_.mel_BMS(out.generated_B1N.squeeze(1));
}

void Trainer::update_discriminators(const GeneratorPass& pass, const StepSchedule& schedule, StepLosses& losses,
                                    StepTrace* trace) {
  const int64_t batch = pass.generated_B1N.size(0);
  discriminator_store_.set_requires_grad(true);
  duration_store_.set_requires_grad(true);
  DiscriminatorOutput both;
  at::Tensor duration_real, duration_generated;
  {
    const PrecisionScope scope(device_, settings_.precision);
    // Real and generated audio go through in one batch.
    both = discriminator_(at::cat({pass.samples_segment_B1N, pass.generated_B1N.detach()}, 0));
    if (duration_discriminator_) {
      const at::Tensor& hidden = pass.text.hidden_BHT;
      duration_real =
          (*duration_discriminator_)(hidden, pass.text.mask_B1T, pass.log_durations_target_B1T.detach());
      duration_generated = (*duration_discriminator_)(hidden, pass.text.mask_B1T, pass.log_durations_B1T.detach());
    }
  }
  const DiscriminatorOutput real = items_of(both, 0, batch), generated = items_of(both, batch, batch);
  losses.discriminator = discriminator_loss(real.logits, generated.logits);
  if (trace != nullptr) {
    trace->real = real;
    trace->generated = generated;
    trace->duration_real_BT1 = duration_real;
    trace->duration_generated_BT1 = duration_generated;
  }

  if (duration_discriminator_) {
    losses.duration_discriminator =
        duration_discriminator_loss(duration_real, duration_generated, pass.text.mask_B1T, duration_reduction());
    check_finite(losses.discriminator.total, "discriminator loss");
    check_finite(losses.duration_discriminator.total, "duration discriminator loss");
    update(duration_store_, duration_optimizer_, losses.duration_discriminator.total,
           schedule.duration_discriminator_learning_rate, "duration discriminator gradient norm",
           losses.duration_discriminator_norm, losses.duration_discriminator_overflow);
  }

  check_finite(losses.discriminator.total, "discriminator loss");
  update(discriminator_store_, discriminator_optimizer_, losses.discriminator.total,
         schedule.discriminator_learning_rate, "discriminator gradient norm", losses.discriminator_norm,
         losses.discriminator_overflow);
}

void Trainer::update(ParameterStore& store, AdamW& optimizer, const at::Tensor& loss, double learning_rate,
                     const char* norm_name, at::Tensor& norm, at::Tensor& overflow) {
  store.clear_gradients();
  loss_scale_.scaled(loss).backward();
  overflow = loss_scale_.unscale(store);
  norm = optimizer.gradient_norm();
  if (!loss_scale_.enabled()) check_finite(norm, norm_name);
  optimizer.step(learning_rate, overflow);
}

void Trainer::update_generator(const GeneratorPass& pass, const StepSchedule& schedule, StepLosses& losses,
                               StepTrace* trace) {
  // The generator's losses deposit nothing in the discriminators.
  discriminator_store_.set_requires_grad(false);
  duration_store_.set_requires_grad(false);
  DiscriminatorOutput real, generated;
  at::Tensor duration_generated;
  {
    const PrecisionScope scope(device_, settings_.precision);
    {
      at::NoGradGuard no_grad;
      real = discriminator_(pass.samples_segment_B1N);
    }
    generated = discriminator_(pass.generated_B1N);
    if (duration_discriminator_) {
      duration_generated =
          (*duration_discriminator_)(pass.text.hidden_BHT, pass.text.mask_B1T, pass.log_durations_B1T);
    }
  }
  if (trace != nullptr) {
    trace->updated_real = real;
    trace->updated_generated = generated;
    trace->updated_duration_generated_BT1 = duration_generated;
  }

  losses.adversarial = generator_loss(generated.logits);
  losses.feature_matching = feature_matching_loss(real.feature_maps, generated.feature_maps);
  losses.mel = at::l1_loss(pass.mel_segment_BMS, pass.generated_mel_BMS) * settings_.mel_weight;
  losses.kl = kl_loss(pass.z_p_BCS, pass.posterior.log_std_BCS, pass.mean_p_BCS, pass.log_std_p_BCS,
                      pass.posterior.mask_B1S) *
              settings_.kl_weight;
  losses.duration = pass.duration_loss_B.sum();
  losses.generator_total =
      losses.adversarial.total + losses.feature_matching + losses.mel + losses.duration + losses.kl;
  if (duration_discriminator_) {
    losses.duration_adversarial =
        duration_generator_loss(duration_generated, pass.text.mask_B1T, duration_reduction());
    losses.generator_total = losses.generator_total + losses.duration_adversarial;
  }
  check_finite(losses.adversarial.total, "generator adversarial loss");
  check_finite(losses.feature_matching, "feature matching loss");
  check_finite(losses.mel, "mel loss");
  check_finite(losses.kl, "KL loss");
  check_finite(losses.duration, "duration loss");
  check_finite(losses.generator_total, "generator loss");

  update(generator_->parameters(), generator_optimizer_, losses.generator_total, schedule.generator_learning_rate,
         "generator gradient norm", losses.generator_norm, losses.generator_overflow);
}

StepLosses Trainer::step(const StepInputs& inputs, const StepSchedule& schedule, NoiseSource& noise,
                         StepTrace* trace, const at::Tensor* forced_durations_BT) {
  const Pass training{true, noise};
  GeneratorPass pass;
  {
    const PrecisionScope scope(device_, settings_.precision);
    pass = align(inputs, schedule.step, training, forced_durations_BT);
    decode_segment(inputs, training, pass);
  }
  StepLosses losses;
  losses.loss_scale = loss_scale_.value().clone();
  update_discriminators(pass, schedule, losses, trace);
  update_generator(pass, schedule, losses, trace);
  loss_scale_.update({losses.generator_overflow, losses.discriminator_overflow, losses.duration_discriminator_overflow});
  if (trace != nullptr) trace->generator = std::move(pass);
  return losses;
}

EvaluationSums Trainer::evaluate(const StepInputs& inputs) const {
  at::NoGradGuard no_grad;
  const PrecisionScope scope(device_, Precision::kFp32);
  const int64_t batch = inputs.token_ids_BT.size(0);
  EvaluationNoise noise(batch, device_);
  const GeneratorPass out = align(inputs, 0, Pass{false, noise});
  const at::Tensor decoded_BN = generator_->decoder(out.posterior.mean_BCS, speaker_of(inputs)).squeeze(1);
  const at::Tensor decoded_mel = extractor_.mel_of_ragged_BMS(
      decoded_BN, (inputs.frame_lengths_B * settings_.audio.hop_length).to(at::kCPU));
  const at::Tensor& mask = out.posterior.mask_B1S;
  EvaluationSums sums;
  sums.mel_l1 = (at::abs(inputs.mel_BMS - decoded_mel) * mask).sum(at::kDouble).item<double>();
  sums.frames = inputs.frame_lengths_B.sum().item<int64_t>();
  sums.mel_count = sums.frames * inputs.mel_BMS.size(1);
  sums.kl = kl_loss(out.z_p_BCS, out.posterior.log_std_BCS, out.mean_p_BCS, out.log_std_p_BCS, mask).item<double>() *
            static_cast<double>(sums.frames);
  sums.tokens = inputs.token_lengths_B.sum().item<int64_t>();
  sums.duration_error = (at::abs(out.log_durations_B1T - out.log_durations_target_B1T) * out.text.mask_B1T)
                            .sum(at::kDouble)
                            .item<double>();
  return sums;
}

InspectionTensors Trainer::inspect(const StepInputs& inputs) const {
  at::NoGradGuard no_grad;
  const PrecisionScope scope(device_, Precision::kFp32);
  const int64_t frames = inputs.frame_lengths_B[0].item<int64_t>();
  const int64_t tokens = inputs.token_lengths_B[0].item<int64_t>();
  StepInputs one;
  one.token_ids_BT = inputs.token_ids_BT.narrow(0, 0, 1).narrow(1, 0, tokens);
  one.token_lengths_B = inputs.token_lengths_B.narrow(0, 0, 1);
  one.spectrogram = inputs.spectrogram.narrow(0, 0, 1).narrow(2, 0, frames);
  one.mel_BMS = inputs.mel_BMS.narrow(0, 0, 1).narrow(2, 0, frames);
  one.frame_lengths_B = inputs.frame_lengths_B.narrow(0, 0, 1);
  one.samples_B1N = inputs.samples_B1N.narrow(0, 0, 1);
  if (inputs.speaker_ids_B.defined()) one.speaker_ids_B = inputs.speaker_ids_B.narrow(0, 0, 1);
  EvaluationNoise noise(1, device_);
  const GeneratorPass out = align(one, 0, Pass{false, noise});
  const at::Tensor decoded_BN = generator_->decoder(out.posterior.mean_BCS, speaker_of(one)).squeeze(1);
  InspectionTensors result;
  result.mel_recording_MS = one.mel_BMS.select(0, 0).to(at::kCPU).contiguous();
  result.mel_decoded_MS = extractor_.mel_BMS(decoded_BN).select(0, 0).to(at::kCPU).contiguous();
  result.alignment_TS =
      expand_durations_BST(out.durations_BT, frames).select(0, 0).t().to(at::kCPU, at::kByte).contiguous();
  result.decoded_N = decoded_BN.select(0, 0).to(at::kCPU).contiguous();
  return result;
}

void Trainer::save(const std::string& directory) const {
  write_safetensors(directory + "/generator.safetensors", generator_->parameters().entries());
  write_safetensors(directory + "/discriminator.safetensors", discriminator_store_.entries());
  write_safetensors(directory + "/optimizer_generator.safetensors", generator_optimizer_.state());
  write_safetensors(directory + "/optimizer_discriminator.safetensors", discriminator_optimizer_.state());
  if (duration_discriminator_) {
    write_safetensors(directory + "/duration_discriminator.safetensors", duration_store_.entries());
    write_safetensors(directory + "/optimizer_duration_discriminator.safetensors", duration_optimizer_.state());
  }
  if (loss_scale_.enabled()) write_safetensors(directory + kLossScaleFile, loss_scale_.state());
}

void Trainer::load(const std::string& directory) {
  struct Part {
    std::string file;
    std::string optimizer_file;
    ParameterStore& store;
    AdamW& optimizer;
    NamedTensors weights{};
    NamedTensors state{};
  };
  std::vector<Part> parts{
      {"/generator.safetensors", "/optimizer_generator.safetensors", generator_->parameters(), generator_optimizer_},
      {"/discriminator.safetensors", "/optimizer_discriminator.safetensors", discriminator_store_,
       discriminator_optimizer_}};
  if (duration_discriminator_) {
    parts.push_back({"/duration_discriminator.safetensors", "/optimizer_duration_discriminator.safetensors",
                     duration_store_, duration_optimizer_});
  }
  // Everything is read and checked before the first weight changes.
  for (Part& part : parts) {
    part.weights = read_safetensors(directory + part.file);
    part.state = read_safetensors(directory + part.optimizer_file);
    part.store.check(part.weights, directory + part.file);
    part.optimizer.check_state(part.state, directory + part.optimizer_file);
  }
  // Absent where the checkpoint was written in another precision: the scale then finds its value anew.
  const bool has_scale = loss_scale_.enabled() && std::filesystem::exists(directory + kLossScaleFile);
  if (has_scale) loss_scale_.load_state(read_safetensors(directory + kLossScaleFile), directory + kLossScaleFile);
  for (Part& part : parts) {
    part.store.assign(part.weights, directory + part.file);
    part.optimizer.load_state(part.state, directory + part.optimizer_file);
  }
}

void Trainer::load_weights(const std::string& directory) {
  struct Part {
    std::string file;
    ParameterStore& store;
    NamedTensors weights{};
  };
  std::vector<Part> parts{{directory + "/generator.safetensors", generator_->parameters()}};
  if (std::filesystem::exists(directory + "/discriminator.safetensors")) {
    parts.push_back({directory + "/discriminator.safetensors", discriminator_store_});
  }
  if (duration_discriminator_ && std::filesystem::exists(directory + "/duration_discriminator.safetensors")) {
    parts.push_back({directory + "/duration_discriminator.safetensors", duration_store_});
  }
  // Everything is read and checked before the first weight changes.
  for (Part& part : parts) {
    part.weights = read_safetensors(part.file);
    part.store.check(part.weights, part.file);
  }
  for (Part& part : parts) part.store.assign(part.weights, part.file);
}

}  // namespace valetts
