#include "train/trainer.h"

#include <cmath>
#include <filesystem>

#include "core/check.h"
#include "core/module_scope.h"
#include "core/shapes.h"
#include "core/side_by_side.h"
#include "core/transfer.h"
#include "interop/safetensors.h"
#include "mas/mas.h"
#include "segment/segment.h"

namespace valetts {

namespace {

constexpr const char* kLossScaleFile = "loss_scale.safetensors";
constexpr const char* kAverageFile = "generator_average.safetensors";

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

// Adds one micro-batch's part of a loss to what the earlier ones gave.
void add(at::Tensor& sum, const at::Tensor& part) { sum = sum.defined() ? sum + part.detach() : part.detach(); }

void add(std::vector<at::Tensor>& sums, const std::vector<at::Tensor>& parts, double share) {
  sums.resize(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) add(sums[i], share == 1.0 ? parts[i] : parts[i] * share);
}

void add(DiscriminatorLoss& sum, const DiscriminatorLoss& part, double share) {
  add(sum.total, share == 1.0 ? part.total : part.total * share);
  add(sum.real_parts, part.real_parts, share);
  add(sum.generated_parts, part.generated_parts, share);
}

at::Tensor shared(const at::Tensor& loss, double share) { return share == 1.0 ? loss : loss * share; }

bool covers_batch(int64_t items, const BatchTotals& totals) { return totals.items == 0 || totals.items == items; }

// Separate streams of initial values for the three networks.
enum : uint64_t { kGeneratorSeed = 0, kDiscriminatorSeed = 1, kDurationSeed = 2 };

std::optional<DurationDiscriminator> make_duration_discriminator(ParameterStore& store, const ModelSettings& model) {
  if (model.duration_discriminator == DurationDiscriminatorKind::kNone) return std::nullopt;
  return DurationDiscriminator(store, model);
}

at::Tensor speaker_of(const Generator& generator, const StepInputs& inputs) {
  return inputs.speaker_ids_B.defined() ? generator.speaker_BG1(inputs.speaker_ids_B) : at::Tensor();
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
      scalars_(parameter_type(settings.precision), device, settings.average_decay),
      silent_mel_M_(silent_mel_M()) {
  if (settings.average_decay > 0.0) {
    average_ = std::make_shared<Generator>(settings.model, network_seed(settings.seed, kGeneratorSeed), device,
                                           parameter_type(settings.precision));
    average_->parameters().set_requires_grad(false);
  }
}

at::Tensor Trainer::silent_mel_M() const {
  const at::Tensor silence =
      at::zeros({1, settings_.audio.fft_size + settings_.audio.hop_length},
                at::TensorOptions(parameter_type(settings_.precision)).device(device_));
  return extractor_.mel_BMS(silence).select(0, 0).select(1, 0).contiguous();
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
  const ModuleScope scope("data");
  at::NoGradGuard no_grad;
  const at::Tensor host_token_lengths_B = token_lengths_B.to(at::kLong);
  const at::Tensor host_frame_lengths_B = at::div(sample_lengths_B.to(at::kLong), settings_.audio.hop_length, "floor");
  for (int64_t b = 0; b < host_token_lengths_B.size(0); ++b) {
    const int64_t tokens = host_token_lengths_B.const_data_ptr<int64_t>()[b];
    const int64_t frames = host_frame_lengths_B.const_data_ptr<int64_t>()[b];
    VT_CHECK_ARG(tokens <= frames, "item ", b, " has ", tokens, " tokens, but its recording only ", frames, " frames");
  }
  StepInputs inputs;
  inputs.token_ids_BT = uploaded(token_ids_BT.to(at::kLong), device_);
  inputs.token_lengths_B = uploaded(host_token_lengths_B, device_);
  inputs.frame_lengths_B = uploaded(host_frame_lengths_B, device_);
  const at::Tensor samples_on_device = uploaded(samples_BN, device_).to(parameter_type(settings_.precision));
  const at::Tensor linear = extractor_.linear_of_ragged_BFS(samples_on_device, sample_lengths_B);
  const at::Tensor mask = length_mask_B1T(inputs.frame_lengths_B, linear.size(2));
  const at::Tensor mel = extractor_.mel_from_linear(linear);
  inputs.spectrogram = settings_.model.posterior_input == PosteriorInput::kMel ? mel * mask : linear;
  // Frames beyond the recording are silence to the mel loss; only clips shorter than a segment reach them.
  inputs.mel_BMS = at::where(mask > 0, mel, silent_mel_M_.view({1, -1, 1}));
  inputs.samples_B1N = samples_on_device.unsqueeze(1);
  if (speaker_ids_B.defined()) inputs.speaker_ids_B = uploaded(speaker_ids_B.to(at::kLong), device_);
  return inputs;
}

StepInputs Trainer::padded(const StepInputs& inputs, int64_t tokens, int64_t frames) const {
  const int64_t more_tokens = tokens - inputs.token_ids_BT.size(1), more_frames = frames - inputs.spectrogram.size(2);
  VT_CHECK_ARG(more_tokens >= 0 && more_frames >= 0, "a batch of ", inputs.token_ids_BT.size(1), " tokens and ",
               inputs.spectrogram.size(2), " frames has no room in ", tokens, " and ", frames);
  at::NoGradGuard no_grad;
  StepInputs out = inputs;
  out.token_ids_BT = at::constant_pad_nd(inputs.token_ids_BT, {0, more_tokens});
  out.spectrogram = at::constant_pad_nd(inputs.spectrogram, {0, more_frames});
  const at::Tensor silence =
      silent_mel_M_.view({1, -1, 1}).expand({inputs.mel_BMS.size(0), silent_mel_M_.size(0), more_frames});
  out.mel_BMS = at::cat({inputs.mel_BMS, silence}, 2);
  const int64_t samples = frames * settings_.audio.hop_length;
  out.samples_B1N = at::constant_pad_nd(inputs.samples_B1N, {0, samples - inputs.samples_B1N.size(2)});
  return out;
}

GeneratorPass Trainer::align(const Generator& generator, const StepInputs& inputs, const at::Tensor& alignment_noise,
                             const Pass& pass, const at::Tensor* forced_durations_BT) const {
  const at::Tensor speaker = speaker_of(generator, inputs);
  GeneratorPass out;
  const auto encode_text = [&]() -> std::vector<at::Tensor> {
    out.text = generator.text_encoder(inputs.token_ids_BT, inputs.token_lengths_B, speaker, pass);
    return {out.text.hidden_BHT, out.text.mean_BCT, out.text.log_std_BCT, out.text.mask_B1T};
  };
  const auto encode_spectrogram = [&]() -> std::vector<at::Tensor> {
    out.posterior = generator.posterior_encoder(inputs.spectrogram, inputs.frame_lengths_B, speaker, pass.noise);
    return {out.posterior.z_BCS, out.posterior.mean_BCS, out.posterior.log_std_BCS, out.posterior.mask_B1S};
  };
  std::vector<at::Tensor> read = NormalisedWeights::in_scope();
  read.insert(read.end(), {inputs.spectrogram, inputs.frame_lengths_B, speaker});
  side_by_side(device_, read, {encode_text, encode_spectrogram});
  out.z_p_BCS = generator.flow.forward(out.posterior.z_BCS, out.posterior.mask_B1S, speaker, pass);
  const int64_t frames = inputs.spectrogram.size(2);
  {
    const ModuleScope scope("alignment search");
    at::NoGradGuard no_grad;
    out.score_BST = alignment_score_BST(out.z_p_BCS, out.text.mean_BCT, out.text.log_std_BCT);
    at::Tensor searched = out.score_BST;
    if (settings_.model.noise_scaled_alignment && alignment_noise.defined()) {
      const at::Tensor draw =
          pass.noise.normal_BCT(NoiseStream::kAlignment, inputs.token_ids_BT.size(1), frames).transpose(1, 2);
      searched = noisy_score_BST(searched, draw, alignment_noise, inputs.token_lengths_B, inputs.frame_lengths_B,
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
  out.duration_loss_B = duration_loss_B;
  out.log_durations_B1T = log_durations;
  out.log_durations_target_B1T = log_durations_B1T(durations_B1T, out.text.mask_B1T);
  return out;
}

void Trainer::decode_segment(const StepInputs& inputs, const Pass& pass, GeneratorPass& out) const {
  Segments segments = gather_segments(out.posterior.z_BCS, inputs.mel_BMS, inputs.samples_B1N, silent_mel_M_,
                                      inputs.frame_lengths_B, pass.noise.uniform_B(NoiseStream::kSegment).to(device_),
                                      settings_.segment_frames, settings_.audio.hop_length);
  out.segment_starts_B = std::move(segments.starts_B);
  out.z_segment_BCS = std::move(segments.z_BCL);
  out.mel_segment_BMS = std::move(segments.mel_BML);
  out.samples_segment_B1N = std::move(segments.samples_B1N);
  out.generated_B1N = generator_->decoder(out.z_segment_BCS, speaker_of(*generator_, inputs));
  out.generated_mel_BMS = extractor_.mel_BMS(out.generated_B1N.squeeze(1));
}

GeneratorPass Trainer::forward(const StepInputs& inputs, const StepStructure& structure, NoiseSource& noise,
                               const at::Tensor* forced_durations_BT) const {
  const Pass training{true, noise};
  const PrecisionScope scope(device_, settings_.precision);
  const NormalisedWeights weights(generator_->parameters());
  GeneratorPass pass = align(*generator_, inputs, structure.alignment_noise ? scalars_.alignment_noise_scale() : at::Tensor(),
                             training, forced_durations_BT);
  decode_segment(inputs, training, pass);
  return pass;
}

Trainer::Share Trainer::share_of(const StepInputs& inputs, const BatchTotals& totals) const {
  const int64_t items = inputs.token_ids_BT.size(0);
  Share share;
  if (covers_batch(items, totals)) {
    share.frames = inputs.frame_lengths_B.sum().to(parameter_type(settings_.precision));
    share.tokens = inputs.token_lengths_B.sum().to(parameter_type(settings_.precision));
    return share;
  }
  VT_CHECK_ARG(!settings_.reference_padding, "the reference's padding counts that of the whole batch: a batch of ",
               totals.items, " cannot come in micro-batches of ", items);
  const at::TensorOptions options = at::TensorOptions(parameter_type(settings_.precision)).device(device_);
  share.items = static_cast<double>(items) / static_cast<double>(totals.items);
  share.frames = at::full({}, static_cast<double>(totals.frames), options);
  share.tokens = at::full({}, static_cast<double>(totals.tokens), options);
  return share;
}

void Trainer::check_order(StepPhase phase, int64_t step) const {
  const bool discriminators = phase == StepPhase::kDiscriminators;
  if (stage_ == (discriminators ? Stage::kDiscriminators : Stage::kGenerator)) {
    VT_CHECK_STATE(step == step_, "step ", step_, " is under way; step ", step, " must wait");
  } else if (discriminators) {
    // kBetween: the last step's generator phase was given up.
    VT_CHECK_STATE(stage_ == Stage::kReady || stage_ == Stage::kBetween, "the generator's phase of step ", step_,
                   " is under way");
  } else {
    VT_CHECK_STATE(stage_ == Stage::kBetween && step == step_, "the generator's phase of step ", step,
                   " comes after the discriminators' of that step");
  }
}

void Trainer::open_phase(StepPhase phase, const StepStructure& structure) {
  accumulated_items_ = 0;
  if (phase == StepPhase::kDiscriminators) {
    kept_.reset();
    losses_ = {};
    if (structure.loss_scale_limit) loss_scale_.limit(scalars_.loss_scale_limit());
    losses_.loss_scale = loss_scale_.enabled() ? loss_scale_.value().clone() : loss_scale_.value();
    discriminator_store_.clear_gradients();
    duration_store_.clear_gradients();
    discriminator_store_.set_requires_grad(true);
    duration_store_.set_requires_grad(true);
    stage_ = Stage::kDiscriminators;
  } else {
    generator_->parameters().clear_gradients();
    // The generator's losses deposit nothing in the discriminators.
    discriminator_store_.set_requires_grad(false);
    duration_store_.set_requires_grad(false);
    stage_ = Stage::kGenerator;
  }
}

void Trainer::begin_phase(StepPhase phase, const StepSchedule& schedule) {
  check_order(phase, schedule.step);
  scalars_.write(schedule);
  if (stage_ == (phase == StepPhase::kDiscriminators ? Stage::kDiscriminators : Stage::kGenerator)) return;
  open_phase(phase, StepStructure::of(schedule));
  step_ = schedule.step;
}

void Trainer::accumulate(StepPhase phase, const StepInputs& inputs, const StepSchedule& schedule, NoiseSource& noise,
                         StepTrace* trace, const at::Tensor* forced_durations_BT) {
  if (phase == StepPhase::kGenerator && kept_ && covers_batch(inputs.token_ids_BT.size(0), schedule.totals)) {
    accumulate_kept(schedule, trace);
    return;
  }
  begin_phase(phase, schedule);
  kept_.reset();
  const Share share = share_of(inputs, schedule.totals);
  const bool whole = share.items == 1.0;
  GeneratorPass pass;
  {
    // The discriminators' gradients end at the generated audio: only a pass that is kept needs the generator's graph.
    const c10::AutoGradMode gradients(whole || phase == StepPhase::kGenerator);
    pass = forward(inputs, StepStructure::of(schedule), noise, forced_durations_BT);
    pass.duration_loss_B = pass.duration_loss_B / share.tokens;
  }
  const int64_t items = inputs.token_ids_BT.size(0);
  if (phase == StepPhase::kDiscriminators) {
    accumulate_discriminators(pass, share, trace);
    if (whole) kept_ = Kept{std::move(pass), share, items};
  } else {
    accumulate_generator(pass, share, trace);
    if (trace != nullptr) trace->generator = std::move(pass);
  }
  accumulated_items_ += items;
}

void Trainer::accumulate_kept(const StepSchedule& schedule, StepTrace* trace) {
  VT_CHECK_STATE(kept_, "no pass is kept for the generator's phase of step ", schedule.step);
  begin_phase(StepPhase::kGenerator, schedule);
  Kept kept = std::move(*kept_);
  kept_.reset();
  accumulate_generator(kept.pass, kept.share, trace);
  if (trace != nullptr) trace->generator = std::move(kept.pass);
  accumulated_items_ += kept.items;
}

void Trainer::accumulate_discriminators(const GeneratorPass& pass, const Share& share, StepTrace* trace) {
  const ModuleScope module("losses");
  const int64_t batch = pass.generated_B1N.size(0);
  DiscriminatorOutput both;
  at::Tensor duration_real, duration_generated;
  {
    const PrecisionScope scope(device_, settings_.precision);
    const NormalisedWeights weights(discriminator_store_);
    // Real and generated audio go through in one batch.
    both = discriminator_(at::cat({pass.samples_segment_B1N, pass.generated_B1N.detach()}, 0));
    if (duration_discriminator_) {
      const at::Tensor& hidden = pass.text.hidden_BHT;
      duration_real =
          (*duration_discriminator_)(hidden, pass.text.mask_B1T, pass.log_durations_target_B1T.detach());
      duration_generated = (*duration_discriminator_)(hidden, pass.text.mask_B1T, pass.log_durations_B1T.detach());
    }
  }
  const DiscriminatorLoss loss = discriminator_loss(both.logits);
  add(losses_.discriminator, loss, share.items);
  if (trace != nullptr) {
    trace->real = items_of(both, 0, batch);
    trace->generated = items_of(both, batch, batch);
    trace->duration_real_BT1 = duration_real;
    trace->duration_generated_BT1 = duration_generated;
  }
  if (duration_discriminator_) {
    const DiscriminatorLoss duration_loss = duration_discriminator_loss(
        duration_real, duration_generated, pass.text.mask_B1T, duration_reduction(), share.tokens);
    add(losses_.duration_discriminator, duration_loss, 1.0);
    loss_scale_.scaled(duration_loss.total).backward();
  }
  loss_scale_.scaled(shared(loss.total, share.items)).backward();
}

void Trainer::accumulate_generator(const GeneratorPass& pass, const Share& share, StepTrace* trace) {
  const ModuleScope module("losses");
  DiscriminatorOutput real, generated;
  at::Tensor duration_generated;
  {
    const PrecisionScope scope(device_, settings_.precision);
    const NormalisedWeights weights(discriminator_store_);
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

  const GeneratorLoss adversarial = generator_loss(generated.logits);
  const at::Tensor adversarial_total = shared(adversarial.total, share.items);
  const at::Tensor feature_matching =
      shared(feature_matching_loss(real.feature_maps, generated.feature_maps), share.items);
  const at::Tensor mel =
      shared(at::l1_loss(pass.mel_segment_BMS, pass.generated_mel_BMS), share.items) * scalars_.mel_weight();
  const at::Tensor kl = kl_loss(pass.z_p_BCS, pass.posterior.log_std_BCS, pass.mean_p_BCS, pass.log_std_p_BCS,
                                pass.posterior.mask_B1S, share.frames) *
                        scalars_.kl_weight();
  const at::Tensor duration = pass.duration_loss_B.sum();
  at::Tensor total = adversarial_total + feature_matching + mel + duration + kl;
  if (duration_discriminator_) {
    const at::Tensor duration_adversarial =
        duration_generator_loss(duration_generated, pass.text.mask_B1T, duration_reduction(), share.tokens);
    total = total + duration_adversarial;
    add(losses_.duration_adversarial, duration_adversarial);
  }
  add(losses_.adversarial.total, adversarial_total);
  add(losses_.adversarial.parts, adversarial.parts, share.items);
  add(losses_.feature_matching, feature_matching);
  add(losses_.mel, mel);
  add(losses_.kl, kl);
  add(losses_.duration, duration);
  add(losses_.generator_total, total);
  loss_scale_.scaled(total).backward();
}

void Trainer::apply(StepPhase phase, const StepSchedule& schedule) {
  const Stage under_way = phase == StepPhase::kDiscriminators ? Stage::kDiscriminators : Stage::kGenerator;
  VT_CHECK_STATE(stage_ == under_way && schedule.step == step_, "nothing is accumulated for this phase of step ",
                 schedule.step);
  VT_CHECK_STATE(schedule.totals.items == 0 || schedule.totals.items == accumulated_items_, "the batch has ",
                 schedule.totals.items, " utterances, of which ", accumulated_items_, " are accumulated");
  scalars_.write(schedule);
  update_networks(phase, StepStructure::of(schedule));
}

void Trainer::update_networks(StepPhase phase, const StepStructure& structure) {
  if (phase == StepPhase::kDiscriminators) {
    if (duration_discriminator_) {
      update({duration_store_, duration_optimizer_, losses_.duration_discriminator_norm,
              losses_.duration_discriminator_overflow},
             losses_.duration_discriminator.total, scalars_.duration_discriminator_learning_rate(), structure);
    }
    update({discriminator_store_, discriminator_optimizer_, losses_.discriminator_norm, losses_.discriminator_overflow},
           losses_.discriminator.total, scalars_.discriminator_learning_rate(), structure);
    stage_ = Stage::kBetween;
    return;
  }
  update({generator_->parameters(), generator_optimizer_, losses_.generator_norm, losses_.generator_overflow},
         losses_.generator_total, scalars_.generator_learning_rate(), structure);
  loss_scale_.update(
      {losses_.generator_overflow, losses_.discriminator_overflow, losses_.duration_discriminator_overflow});
  if (average_) update_average();
  stage_ = Stage::kReady;
}

void Trainer::update(const Network& network, const at::Tensor& loss, const at::Tensor& learning_rate,
                     const StepStructure& structure) {
  const ModuleScope scope("optimizers");
  const at::Tensor overflow = loss_scale_.unscale(network.store);
  network.norm = network.optimizer.gradient_norm();
  // The norm is finite only if every gradient is; x - x is 0 only for a finite x.
  const at::Tensor broken = (network.norm - network.norm + (loss - loss)).ne(0).to(at::kFloat).view({1});
  network.overflow = overflow.defined() ? at::maximum(broken, overflow) : broken;
  if (structure.gradient_limit) network.optimizer.clip(network.norm, scalars_.gradient_limit());
  network.optimizer.step(learning_rate, network.overflow);
}

void Trainer::update_average() {
  const ModuleScope scope("optimizers");
  at::NoGradGuard no_grad;
  const at::Tensor weight =
      ((1.0 - losses_.generator_overflow) * scalars_.average_share()).squeeze().to(generator_->parameters().type());
  std::vector<at::Tensor> means, present;
  const NamedTensors& entries = generator_->parameters().entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    means.push_back(average_->parameters().entries()[i].second);
    present.push_back(entries[i].second.detach());
  }
  // Three passes over all at once: a mean with a weight on the device would go tensor by tensor.
  std::vector<at::Tensor> steps = at::_foreach_sub(present, means);
  at::_foreach_mul_(steps, weight);
  at::_foreach_add_(means, steps);
}

void Trainer::run_phase(StepPhase phase, const StepStructure& structure, const StepInputs& inputs, NoiseSource& noise) {
  open_phase(phase, structure);
  if (phase == StepPhase::kDiscriminators) {
    const Share share = share_of(inputs, {});
    GeneratorPass pass = forward(inputs, structure, noise, nullptr);
    pass.duration_loss_B = pass.duration_loss_B / share.tokens;
    accumulate_discriminators(pass, share, nullptr);
    kept_ = Kept{std::move(pass), share, inputs.token_ids_BT.size(0)};
  } else {
    VT_CHECK_STATE(kept_, "no pass is kept for the generator's phase");
    const Kept kept = std::move(*kept_);
    kept_.reset();
    accumulate_generator(kept.pass, kept.share, nullptr);
  }
  update_networks(phase, structure);
}

void Trainer::finish_phase(StepPhase phase, int64_t step, const StepLosses& losses) {
  // A replay writes without a word to libtorch, and voices keep folded weights by version.
  if (phase == StepPhase::kGenerator) {
    for (const std::shared_ptr<Generator>& generator : {generator_, average_}) {
      if (!generator) continue;
      for (const auto& [name, tensor] : generator->parameters().entries()) tensor.unsafeGetTensorImpl()->bump_version();
    }
  }
  losses_ = losses;
  step_ = step;
  stage_ = phase == StepPhase::kDiscriminators ? Stage::kBetween : Stage::kReady;
}

void Trainer::abandon(StepPhase phase, const StepLosses& losses) {
  kept_.reset();
  accumulated_items_ = 0;
  clear_gradients();
  losses_ = losses;
  stage_ = phase == StepPhase::kDiscriminators ? Stage::kReady : Stage::kBetween;
}

void Trainer::clear_gradients() {
  generator_->parameters().clear_gradients();
  discriminator_store_.clear_gradients();
  duration_store_.clear_gradients();
}

void Trainer::discard() {
  kept_.reset();
  accumulated_items_ = 0;
  if (stage_ == Stage::kDiscriminators) {
    discriminator_store_.clear_gradients();
    duration_store_.clear_gradients();
    losses_ = {};
    stage_ = Stage::kReady;
  } else if (stage_ == Stage::kGenerator) {
    generator_->parameters().clear_gradients();
    StepLosses applied;
    applied.loss_scale = losses_.loss_scale;
    applied.discriminator = losses_.discriminator;
    applied.discriminator_norm = losses_.discriminator_norm;
    applied.discriminator_overflow = losses_.discriminator_overflow;
    applied.duration_discriminator = losses_.duration_discriminator;
    applied.duration_discriminator_norm = losses_.duration_discriminator_norm;
    applied.duration_discriminator_overflow = losses_.duration_discriminator_overflow;
    losses_ = std::move(applied);
    stage_ = Stage::kBetween;
  }
}

StepLosses Trainer::step(const StepInputs& inputs, const StepSchedule& schedule, NoiseSource& noise,
                         StepTrace* trace, const at::Tensor* forced_durations_BT) {
  for (const StepPhase phase : {StepPhase::kDiscriminators, StepPhase::kGenerator}) {
    accumulate(phase, inputs, schedule, noise, trace, forced_durations_BT);
    apply(phase, schedule);
  }
  return losses_;
}

EvaluationSums Trainer::evaluate(const StepInputs& inputs) const {
  at::NoGradGuard no_grad;
  const PrecisionScope scope(device_, Precision::kFp32);
  const int64_t batch = inputs.token_ids_BT.size(0);
  EvaluationNoise noise(batch, device_);
  const Generator& generator = *voice_generator();
  const GeneratorPass out = align(generator, inputs, {}, Pass{false, noise});
  const at::Tensor decoded_BN =
      generator.decoder(out.posterior.mean_BCS, speaker_of(generator, inputs)).squeeze(1);
  const at::Tensor decoded_mel = extractor_.mel_of_ragged_BMS(
      decoded_BN, (inputs.frame_lengths_B * settings_.audio.hop_length).to(at::kCPU));
  const at::Tensor& mask = out.posterior.mask_B1S;
  EvaluationSums sums;
  sums.mel_l1 = (at::abs(inputs.mel_BMS - decoded_mel) * mask).sum(at::kDouble).item<double>();
  sums.frames = inputs.frame_lengths_B.sum().item<int64_t>();
  sums.mel_count = sums.frames * inputs.mel_BMS.size(1);
  sums.kl = kl_loss(out.z_p_BCS, out.posterior.log_std_BCS, out.mean_p_BCS, out.log_std_p_BCS, mask, mask.sum())
                .item<double>() *
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
  const Generator& generator = *voice_generator();
  const GeneratorPass out = align(generator, one, {}, Pass{false, noise});
  const at::Tensor decoded_BN = generator.decoder(out.posterior.mean_BCS, speaker_of(generator, one)).squeeze(1);
  InspectionTensors result;
  result.mel_recording_MS = one.mel_BMS.select(0, 0).to(at::kCPU).contiguous();
  result.mel_decoded_MS = extractor_.mel_BMS(decoded_BN).select(0, 0).to(at::kCPU).contiguous();
  result.alignment_TS =
      expand_durations_BST(out.durations_BT, frames).select(0, 0).t().to(at::kCPU, at::kByte).contiguous();
  result.decoded_N = decoded_BN.select(0, 0).to(at::kCPU).contiguous();
  return result;
}

TrainerSnapshot Trainer::snapshot() const {
  TrainerSnapshot snapshot;
  snapshot.add("generator.safetensors", generator_->parameters().entries());
  if (average_) snapshot.add(kAverageFile, average_->parameters().entries());
  snapshot.add("discriminator.safetensors", discriminator_store_.entries());
  snapshot.add("optimizer_generator.safetensors", generator_optimizer_.state());
  snapshot.add("optimizer_discriminator.safetensors", discriminator_optimizer_.state());
  if (duration_discriminator_) {
    snapshot.add("duration_discriminator.safetensors", duration_store_.entries());
    snapshot.add("optimizer_duration_discriminator.safetensors", duration_optimizer_.state());
  }
  if (loss_scale_.enabled()) snapshot.add(kLossScaleFile, loss_scale_.state());
  return snapshot;
}

void TrainerSnapshot::add(std::string file, const NamedTensors& tensors) {
  NamedTensors copies;
  copies.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) {
    copies.emplace_back(name, tensor.detach().to(at::kCPU, tensor.scalar_type(), /*non_blocking=*/false, /*copy=*/true));
  }
  files_.emplace_back(std::move(file), std::move(copies));
}

void TrainerSnapshot::write(const std::string& directory) const {
  for (const auto& [file, tensors] : files_) {
    for (const auto& [name, tensor] : tensors) {
      VT_CHECK_FINITE(at::isfinite(tensor).all().item<bool>(), file, ": ", name, " holds NaN or infinity");
    }
  }
  for (const auto& [file, tensors] : files_) write_safetensors(directory + "/" + file, tensors);
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
  const std::string scale_file = directory + "/" + kLossScaleFile;
  const bool has_scale = loss_scale_.enabled() && std::filesystem::exists(scale_file);
  // Absent where no mean was kept before: it then begins with the present weights.
  std::string average_file = directory + "/" + kAverageFile;
  if (!std::filesystem::exists(average_file)) average_file = directory + parts.front().file;
  NamedTensors average;
  if (average_) {
    average = read_safetensors(average_file);
    average_->parameters().check(average, average_file);
  }
  if (has_scale) loss_scale_.load_state(read_safetensors(scale_file), scale_file);
  if (average_) average_->parameters().assign(average, average_file);
  for (Part& part : parts) {
    part.store.assign(part.weights, directory + part.file);
    part.optimizer.load_state(part.state, directory + part.optimizer_file);
  }
  discard();
  stage_ = Stage::kReady;
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
  if (average_) average_->parameters().assign(parts.front().weights, parts.front().file);
}

}  // namespace valetts
