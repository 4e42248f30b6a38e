// One training step in the reference's order, its evaluation, and the state it saves (VITS2, section 2; the public
// reference's train.py for order and detach points).
//
// A step has two phases, each over all micro-batches of the batch: the discriminators learn and step, then the generator
// learns against the updated ones and steps. A batch in several micro-batches goes through the generator twice, with the
// same random draws; a batch in one piece once.
//
// A phase over a batch in one piece takes every number that changes from step to step from the device (StepScalars, the
// inputs, the draws' key): train/captured_steps.h records it once for each shape and replays it.
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
#include "train/step_scalars.h"

namespace valetts {

struct TrainerSettings {
  ModelSettings model;
  AudioSettings audio;
  AdamWSettings optimizer;
  int64_t segment_frames = 32;
  int64_t seed = 0;
  Precision precision = Precision::kFp32;
  double initial_loss_scale = 65536.0;  // with float16
  // Counts padding as the reference does: in the deviation of the alignment noise (over the whole padded batch) and in
  // the duration discriminator's losses (V1 also sums them over the items). Otherwise padding changes nothing.
  bool reference_padding = false;
  // Of a running mean of the generator's weights, which then speaks and is evaluated instead; 0 keeps none.
  double average_decay = 0.0;
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

enum class StepPhase { kDiscriminators = 0, kGenerator = 1 };

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
  at::Tensor duration_loss_B;  // per item, divided by the whole batch's valid tokens
  at::Tensor log_durations_B1T;
  at::Tensor log_durations_target_B1T;
  at::Tensor segment_starts_B;  // frames, int64
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

// Of the whole batch, as scalars on the device; undefined until their phase has been.
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
  // 1 on the device where a loss or gradient was not finite, so that the network's step changed nothing.
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

// A trainer's state at one moment, file by file. Owned by whoever writes it, on any thread.
class TrainerSnapshot {
 public:
  void add(std::string file, const NamedTensors& tensors);
  // Writes every file into an existing directory. Errors: NON_FINITE, before the first file, naming a weight that is not
  // finite; IO naming the file.
  void write(const std::string& directory) const;

 private:
  std::vector<std::pair<std::string, NamedTensors>> files_;
};

class Trainer {
 public:
  Trainer(const TrainerSettings& settings, at::Device device);

  const TrainerSettings& settings() const { return settings_; }
  at::Device device() const { return device_; }
  const std::shared_ptr<Generator>& generator() const { return generator_; }
  // The generator that speaks and is evaluated: the running mean where there is one.
  const std::shared_ptr<Generator>& voice_generator() const { return average_ ? average_ : generator_; }
  ParameterStore& discriminator_parameters() { return discriminator_store_; }
  ParameterStore& duration_discriminator_parameters() { return duration_store_; }
  const std::optional<DurationDiscriminator>& duration_discriminator() const { return duration_discriminator_; }
  const SpectrogramExtractor& extractor() const { return extractor_; }

  // Computes spectrograms of raw recordings, each on its own valid samples. Everything comes from the host, lengths too.
  // Errors: INVALID_ARGUMENT naming an item with more tokens than frames.
  StepInputs prepare(const at::Tensor& token_ids_BT, const at::Tensor& token_lengths_B, const at::Tensor& samples_BN,
                     const at::Tensor& sample_lengths_B, const at::Tensor& speaker_ids_B) const;

  // The same batch with room for `tokens` and `frames`, at least those it has: training on it gives the same losses,
  // gradients and weights, so that batches of nearly equal shape can share one captured step. Samples get room for the
  // frames, tokens and frames beyond an item's own count nowhere.
  StepInputs padded(const StepInputs& inputs, int64_t tokens, int64_t frames) const;

  // Losses and gradients of one micro-batch, added to those of its phase so far. `trace`, if given, receives the
  // intermediates. `forced_durations_BT`, if given, replaces the alignment's outcome (checks in reduced precision, where a
  // tie may fall the other way). Errors: INVALID_STATE out of order (discriminators first; one step at a time).
  void accumulate(StepPhase phase, const StepInputs& inputs, const StepSchedule& schedule, NoiseSource& noise,
                  StepTrace* trace = nullptr, const at::Tensor* forced_durations_BT = nullptr);
  // The same for the generator's phase of a batch in one piece, whose pass is kept from the discriminators' phase.
  bool keeps_pass() const { return kept_.has_value(); }
  void accumulate_kept(const StepSchedule& schedule, StepTrace* trace = nullptr);
  // The phase's optimizer steps. A network with a loss or gradient that is not finite stays as it was. Errors:
  // INVALID_STATE unless the micro-batches so far make up the batch.
  void apply(StepPhase phase, const StepSchedule& schedule);
  // Forgets what the present phase has accumulated, e.g. when memory ran out in it; what was applied stays.
  void discard();
  // Of the step under way or, between steps, of the last one.
  const StepLosses& losses() const { return losses_; }
  // A whole phase over a batch in one piece: what accumulate and apply do, with the numbers that write_schedule left on the
  // device. The generator's phase takes up the pass that the discriminators' kept. Nothing in it depends on a number of the
  // host but those of StepStructure, the sizes of the inputs and the settings. Errors: as accumulate.
  void write_schedule(const StepSchedule& schedule) { scalars_.write(schedule); }
  void run_phase(StepPhase phase, const StepStructure& structure, const StepInputs& inputs, NoiseSource& noise);
  // Tells that a phase of `step` is done, which was replayed and left `losses`. Errors: INVALID_STATE out of order.
  void check_order(StepPhase phase, int64_t step) const;
  void finish_phase(StepPhase phase, int64_t step, const StepLosses& losses);
  // Back to where the phase had not begun, whatever stopped it half way. Weights stay as they are.
  void abandon(StepPhase phase, const StepLosses& losses);
  // Gradients are of no use after a step.
  void clear_gradients();
  // Both phases over a batch in one piece.
  StepLosses step(const StepInputs& inputs, const StepSchedule& schedule, NoiseSource& noise,
                  StepTrace* trace = nullptr, const at::Tensor* forced_durations_BT = nullptr);

  // In float32 whatever the run's precision, so that figures of different runs can be compared.
  EvaluationSums evaluate(const StepInputs& inputs) const;
  // Of the first item of the batch.
  InspectionTensors inspect(const StepInputs& inputs) const;

  // The whole state, copied to the host: what training does next does not change it.
  TrainerSnapshot snapshot() const;
  void load(const std::string& directory);
  // The generator's weights, and those of each discriminator whose file is there; the optimizers stay as they are.
  void load_weights(const std::string& directory);

 private:
  // Where a step stands. What was accumulated is lost by discard(), which leads back.
  enum class Stage { kReady, kDiscriminators, kBetween, kGenerator };
  // The share of one micro-batch in the means over the batch.
  struct Share {
    double items = 1.0;
    at::Tensor frames;  // of the whole batch; scalars
    at::Tensor tokens;
  };
  struct Network {
    ParameterStore& store;
    AdamW& optimizer;
    at::Tensor& norm;
    at::Tensor& overflow;
  };

  // Text, posterior, flow, alignment, durations: everything before the decoder.
  // alignment_noise: a scalar; undefined for none.
  GeneratorPass align(const Generator& generator, const StepInputs& inputs, const at::Tensor& alignment_noise,
                      const Pass& pass, const at::Tensor* forced_durations_BT = nullptr) const;
  // Cuts a random segment of each item and decodes it.
  void decode_segment(const StepInputs& inputs, const Pass& pass, GeneratorPass& out) const;
  GeneratorPass forward(const StepInputs& inputs, const StepStructure& structure, NoiseSource& noise,
                        const at::Tensor* forced_durations_BT) const;
  Share share_of(const StepInputs& inputs, const BatchTotals& totals) const;
  // Enters the phase, or stays in it.
  void begin_phase(StepPhase phase, const StepSchedule& schedule);
  void open_phase(StepPhase phase, const StepStructure& structure);
  void accumulate_discriminators(const GeneratorPass& pass, const Share& share, StepTrace* trace);
  void accumulate_generator(const GeneratorPass& pass, const Share& share, StepTrace* trace);
  void update_networks(StepPhase phase, const StepStructure& structure);
  // Unscaling, norm, limit, optimizer step of one network.
  void update(const Network& network, const at::Tensor& loss, const at::Tensor& learning_rate, const StepStructure& structure);
  void update_average();
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
  StepScalars scalars_;
  at::Tensor silent_mel_M_;
  std::shared_ptr<Generator> average_;

  Stage stage_ = Stage::kReady;
  int64_t step_ = 0;
  int64_t accumulated_items_ = 0;
  StepLosses losses_;
  // A batch in one piece keeps its pass from the first phase for the second.
  struct Kept {
    GeneratorPass pass;
    Share share;
    int64_t items;
  };
  std::optional<Kept> kept_;
};

}  // namespace valetts
