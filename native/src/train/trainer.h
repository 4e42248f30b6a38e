// One training step in the reference's order, its evaluation, and the state it saves (VITS2, section 2; the public
// reference's train.py for order and detach points).
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/precision.h"
#include "dsp/spectrogram.h"
#include "loss/losses.h"
#include "model/discriminator.h"
#include "model/generator.h"
#include "train/adamw.h"
#include "train/loss_scale.h"

namespace valetts {

struct TrainerSettings {
  ModelSettings model;
  AudioSettings audio;
  AdamWSettings optimizer;
  double mel_weight = 45.0;
  double kl_weight = 1.0;
  int64_t segment_frames = 32;
  int64_t seed = 0;
  Precision precision = Precision::kFp32;
  double initial_loss_scale = 65536.0;  // with float16
  // Counts padding as the reference does: in the deviation of the alignment noise (over the whole padded batch) and in
  // the duration discriminator's losses (V1 also sums them over the items). Otherwise padding changes nothing.
  bool reference_padding = false;
};

// What a step works on, on the trainer's device. Lengths are int64 [B].
struct StepInputs {
  at::Tensor token_ids_BT;  // int64
  at::Tensor token_lengths_B;
  at::Tensor spectrogram;  // the posterior encoder's input [B,bins,S], zero-padded
  at::Tensor mel_BMS;      // the loss target
  at::Tensor frame_lengths_B;
  at::Tensor samples_B1N;
  at::Tensor speaker_ids_B;  // undefined with one speaker
};

struct StepSchedule {
  int64_t step = 0;
  double generator_learning_rate = 2e-4;
  double discriminator_learning_rate = 2e-4;
  double duration_discriminator_learning_rate = 2e-4;
};

// Everything the generator computes on the way to the losses.
struct GeneratorPass {
  TextEncoding text;
  PosteriorEncoding posterior;
  at::Tensor z_p_BCS;
  at::Tensor score_BST;
  at::Tensor found_durations_BT;  // frames of each token, as alignment search finds them
  at::Tensor durations_BT;        // the same, or what was forced
  at::Tensor mean_p_BCS;    // prior, expanded to frames
  at::Tensor log_std_p_BCS;
  at::Tensor duration_loss_B;  // per item, divided by the batch's valid tokens
  at::Tensor log_durations_B1T;
  at::Tensor log_durations_target_B1T;
  std::vector<int64_t> segment_starts_B;  // frames
  at::Tensor z_segment_BCS;
  at::Tensor samples_segment_B1N;
  at::Tensor mel_segment_BMS;
  at::Tensor generated_B1N;
  at::Tensor generated_mel_BMS;
};

// What a step computes on the way, for parity checks.
struct StepTrace {
  GeneratorPass generator;
  // Of the discriminators before their update ...
  DiscriminatorOutput real;
  DiscriminatorOutput generated;
  at::Tensor duration_real_BT1;
  at::Tensor duration_generated_BT1;
  // ... and after it, as the generator's losses see them.
  DiscriminatorOutput updated_real;
  DiscriminatorOutput updated_generated;
  at::Tensor updated_duration_generated_BT1;
};

struct StepLosses {
  at::Tensor generator_total;
  GeneratorLoss adversarial;
  at::Tensor feature_matching;
  at::Tensor mel;  // weighted
  at::Tensor kl;   // weighted
  at::Tensor duration;
  at::Tensor duration_adversarial;  // undefined without a duration discriminator
  DiscriminatorLoss discriminator;
  DiscriminatorLoss duration_discriminator;
  at::Tensor generator_norm;
  at::Tensor discriminator_norm;
  at::Tensor duration_discriminator_norm;
  at::Tensor loss_scale;  // the one this step was taken with
  // With float16: 1 on the device where that network's gradients overflowed and its step was skipped.
  at::Tensor generator_overflow;
  at::Tensor discriminator_overflow;
  at::Tensor duration_discriminator_overflow;
};

struct EvaluationSums {
  double mel_l1 = 0.0;
  int64_t mel_count = 0;
  double kl = 0.0;
  int64_t frames = 0;
  double duration_error = 0.0;
  int64_t tokens = 0;
};

struct InspectionTensors {
  at::Tensor mel_recording_MS;
  at::Tensor mel_decoded_MS;
  at::Tensor alignment_TS;  // uint8
  at::Tensor decoded_N;
};

class Trainer {
 public:
  Trainer(const TrainerSettings& settings, at::Device device);

  const TrainerSettings& settings() const { return settings_; }
  at::Device device() const { return device_; }
  const std::shared_ptr<Generator>& generator() const { return generator_; }
  ParameterStore& discriminator_parameters() { return discriminator_store_; }
  ParameterStore& duration_discriminator_parameters() { return duration_store_; }
  const std::optional<DurationDiscriminator>& duration_discriminator() const { return duration_discriminator_; }
  const SpectrogramExtractor& extractor() const { return extractor_; }

  // Computes spectrograms of raw recordings, each on its own valid samples.
  StepInputs prepare(const at::Tensor& token_ids_BT, const at::Tensor& token_lengths_B, const at::Tensor& samples_BN,
                     const at::Tensor& sample_lengths_B, const at::Tensor& speaker_ids_B) const;

  // Discriminators first, then the generator against the updated ones. Throws NonFinite naming the loss before the
  // network concerned is touched. `trace`, if given, receives the intermediates. `forced_durations_BT`, if given, replaces
  // the alignment's outcome (checks in reduced precision, where a tie may fall the other way).
  StepLosses step(const StepInputs& inputs, const StepSchedule& schedule, NoiseSource& noise,
                  StepTrace* trace = nullptr, const at::Tensor* forced_durations_BT = nullptr);

  // In float32 whatever the run's precision, so that figures of different runs can be compared.
  EvaluationSums evaluate(const StepInputs& inputs) const;
  // Of the first item of the batch.
  InspectionTensors inspect(const StepInputs& inputs) const;

  void save(const std::string& directory) const;
  void load(const std::string& directory);
  // The generator's weights, and those of each discriminator whose file is there; the optimizers stay as they are.
  void load_weights(const std::string& directory);

 private:
  // Text, posterior, flow, alignment, durations: everything before the decoder.
  GeneratorPass align(const StepInputs& inputs, int64_t step, const Pass& pass,
                      const at::Tensor* forced_durations_BT = nullptr) const;
  // Cuts a random segment of each item and decodes it.
  void decode_segment(const StepInputs& inputs, const Pass& pass, GeneratorPass& out) const;
  at::Tensor speaker_of(const StepInputs& inputs) const;
  void update_discriminators(const GeneratorPass& pass, const StepSchedule& schedule, StepLosses& losses,
                             StepTrace* trace);
  // Backward pass, unscaling, norm, optimizer step of one network. With float16 an overflow skips the step instead of
  // throwing.
  void update(ParameterStore& store, AdamW& optimizer, const at::Tensor& loss, double learning_rate, const char* norm_name,
              at::Tensor& norm, at::Tensor& overflow);
  void update_generator(const GeneratorPass& pass, const StepSchedule& schedule, StepLosses& losses, StepTrace* trace);
  DurationReduction duration_reduction() const;
  at::Tensor silent_mel_M() const;

  TrainerSettings settings_;
  at::Device device_;
  SpectrogramExtractor extractor_;
  std::shared_ptr<Generator> generator_;
  ParameterStore discriminator_store_;
  WaveformDiscriminator discriminator_;
  ParameterStore duration_store_;
  std::optional<DurationDiscriminator> duration_discriminator_;
  AdamW generator_optimizer_;
  AdamW discriminator_optimizer_;
  AdamW duration_optimizer_;
  LossScale loss_scale_;
  at::Tensor silent_mel_M_;
};

}  // namespace valetts
