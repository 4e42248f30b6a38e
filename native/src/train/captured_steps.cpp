#include "train/captured_steps.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include <algorithm>

#include "core/check.h"
#include "core/path.h"
#include "core/transfer.h"

namespace valetts {

namespace {

constexpr int64_t kFrameStep = 64;
constexpr int64_t kTokenStep = 16;
constexpr int64_t kFramesPerTokenStep = 8;
// More than StepLosses has.
constexpr int64_t kResultCapacity = 128;

int64_t rounded_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

std::vector<at::Tensor*> scalars_of(StepLosses& losses) {
  std::vector<at::Tensor*> scalars{&losses.generator_total,
                                   &losses.adversarial.total,
                                   &losses.feature_matching,
                                   &losses.mel,
                                   &losses.kl,
                                   &losses.duration,
                                   &losses.duration_adversarial,
                                   &losses.discriminator.total,
                                   &losses.duration_discriminator.total,
                                   &losses.generator_norm,
                                   &losses.discriminator_norm,
                                   &losses.duration_discriminator_norm,
                                   &losses.loss_scale,
                                   &losses.generator_overflow,
                                   &losses.discriminator_overflow,
                                   &losses.duration_discriminator_overflow};
  for (std::vector<at::Tensor>* parts :
       {&losses.adversarial.parts, &losses.discriminator.real_parts, &losses.discriminator.generated_parts,
        &losses.duration_discriminator.real_parts, &losses.duration_discriminator.generated_parts}) {
    for (at::Tensor& part : *parts) scalars.push_back(&part);
  }
  return scalars;
}

size_t index_of(StepPhase phase) { return static_cast<size_t>(phase); }

}  // namespace

StepShape StepShape::of(const StepInputs& inputs, const StepSchedule& schedule, int64_t segment_frames) {
  const int64_t frames = rounded_up(std::max(inputs.spectrogram.size(2), segment_frames), kFrameStep);
  const int64_t token_step = std::max(kTokenStep, frames / kFramesPerTokenStep / kTokenStep * kTokenStep);
  return {inputs.token_ids_BT.size(0), rounded_up(inputs.token_ids_BT.size(1), token_step), frames,
          StepStructure::of(schedule)};
}

// The phase's own memory may be used for something else once it is over.
void CapturedSteps::Results::take(const StepLosses& computed) {
  at::NoGradGuard no_grad;
  losses = computed;
  std::vector<at::Tensor> values;
  for (at::Tensor* scalar : scalars_of(losses)) {
    if (!scalar->defined()) continue;
    values.push_back(scalar->detach().to(values_K.scalar_type()).reshape({}));
    *scalar = values_K[static_cast<int64_t>(values.size()) - 1].view(scalar->sizes());
  }
  at::Tensor target = values_K.narrow(0, 0, static_cast<int64_t>(values.size()));
  at::stack_out(target, values);
}

CapturedSteps::CapturedSteps(Trainer& trainer, std::unique_ptr<Recorder> recorder, CaptureSettings settings)
    : trainer_(trainer), recorder_(std::move(recorder)), settings_(settings) {
  // Losses that count padding would change with the bucket.
  if (trainer_.settings().reference_padding) recorder_.reset();
}

std::unique_ptr<NoiseSource> CapturedSteps::noise_of(const std::vector<int64_t>& utterance_ids, int64_t step) const {
  const int64_t seed = trainer_.settings().seed;
  const at::Device device = trainer_.device();
  if (!device.is_cuda() || gpu_path() == GpuPath::kPlain) {
    return std::make_unique<KeyedNoise>(seed, step, utterance_ids, device);
  }
  return std::make_unique<DeviceNoise>(uploaded(draw_key(seed, step), device),
                                       uploaded(at::tensor(utterance_ids, at::kLong), device));
}

void CapturedSteps::accumulate(StepPhase phase, const StepInputs& inputs, const std::vector<int64_t>& utterance_ids,
                               const StepSchedule& schedule) {
  const bool one_piece = schedule.totals.items == 0 || schedule.totals.items == inputs.token_ids_BT.size(0);
  if (!recorder_ || !one_piece || phase == StepPhase::kGenerator) {
    batch_.reset();
    replayed_ = nullptr;
    trainer_.accumulate(phase, inputs, schedule, *noise_of(utterance_ids, schedule.step));
    return;
  }
  trainer_.check_order(phase, schedule.step);
  VT_CHECK_STATE(!batch_ || batch_->phase != phase, "the batch of step ", schedule.step, " is there already");
  const StepShape shape = StepShape::of(inputs, schedule, trainer_.settings().segment_frames);
  batch_ = Batch{trainer_.padded(inputs, shape.tokens, shape.frames), utterance_ids, phase};
  replayed_ = nullptr;
}

void CapturedSteps::accumulate_kept(const StepSchedule& schedule) {
  if (!batch_) {
    trainer_.accumulate_kept(schedule);
    return;
  }
  trainer_.check_order(StepPhase::kGenerator, schedule.step);
  batch_->phase = StepPhase::kGenerator;
}

void CapturedSteps::apply(StepPhase phase, const StepSchedule& schedule) {
  if (!batch_) {
    trainer_.apply(phase, schedule);
    ++counts_.plain;
    return;
  }
  trainer_.check_order(phase, schedule.step);
  VT_CHECK_STATE(batch_->phase == phase, "nothing is accumulated for this phase of step ", schedule.step);
  const StepShape shape = shape_of(*batch_, schedule);
  if (phase == StepPhase::kDiscriminators) {
    Entry& entry = entry_of(shape);
    if (!gave_up_ && entry.rehearsed >= settings_.rehearsals && run_recorded(entry, phase, schedule)) {
      replayed_ = &entry;
    } else {
      run_eagerly(phase, schedule);
      if (!gave_up_) ++entry_of(shape).rehearsed;
    }
    return;
  }
  if (replayed_ == nullptr || replayed_->shape != shape || !run_recorded(*replayed_, phase, schedule)) {
    run_eagerly(phase, schedule);
  }
  batch_.reset();
  replayed_ = nullptr;
}

StepShape CapturedSteps::shape_of(const Batch& batch, const StepSchedule& schedule) const {
  return {batch.inputs.token_ids_BT.size(0), batch.inputs.token_ids_BT.size(1), batch.inputs.spectrogram.size(2),
          StepStructure::of(schedule)};
}

CapturedSteps::Entry& CapturedSteps::entry_of(const StepShape& shape) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.shape == shape; });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    return entries_.front();
  }
  entries_.push_front(Entry{.shape = shape});
  return entries_.front();
}

// Shapes that were only counted cost nothing: recordings are what is limited.
void CapturedSteps::make_room() {
  for (auto entry = entries_.rbegin(); entry != entries_.rend() && kept_recordings() >= settings_.recordings; ++entry) {
    if (!entry->buffers) continue;
    *entry = Entry{.shape = entry->shape};
    ++counts_.dropped;
  }
}

int64_t CapturedSteps::kept_recordings() const {
  return std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.buffers != nullptr; });
}

void CapturedSteps::fill(Entry& entry, int64_t step) {
  at::NoGradGuard no_grad;
  const StepInputs& given = batch_->inputs;
  if (!entry.buffers) {
    make_room();
    entry.buffers = std::make_shared<Buffers>();
    StepInputs& inputs = entry.buffers->inputs;
    inputs = given;
    for (at::Tensor* tensor : {&inputs.token_ids_BT, &inputs.token_lengths_B, &inputs.spectrogram, &inputs.mel_BMS,
                               &inputs.frame_lengths_B, &inputs.samples_B1N, &inputs.speaker_ids_B}) {
      if (tensor->defined()) *tensor = at::empty(tensor->sizes(), tensor->options());
    }
    entry.buffers->key_2 = at::empty({2}, given.token_ids_BT.options().dtype(at::kInt));
    entry.buffers->utterance_ids_B = at::empty_like(given.token_lengths_B);
  }
  StepInputs& inputs = entry.buffers->inputs;
  const std::pair<at::Tensor&, const at::Tensor&> copies[] = {{inputs.token_ids_BT, given.token_ids_BT},
                                                              {inputs.token_lengths_B, given.token_lengths_B},
                                                              {inputs.spectrogram, given.spectrogram},
                                                              {inputs.mel_BMS, given.mel_BMS},
                                                              {inputs.frame_lengths_B, given.frame_lengths_B},
                                                              {inputs.samples_B1N, given.samples_B1N},
                                                              {inputs.speaker_ids_B, given.speaker_ids_B}};
  for (const auto& [to, from] : copies) {
    if (from.defined()) to.copy_(from);
  }
  const at::Device device = trainer_.device();
  entry.buffers->key_2.copy_(uploaded(draw_key(trainer_.settings().seed, step), device));
  entry.buffers->utterance_ids_B.copy_(uploaded(at::tensor(batch_->utterance_ids, at::kLong), device));
}

bool CapturedSteps::run_recorded(Entry& entry, StepPhase phase, const StepSchedule& schedule) {
  const StepLosses before = phase == StepPhase::kGenerator ? trainer_.losses() : StepLosses{};
  try {
    if (phase == StepPhase::kDiscriminators) fill(entry, schedule.step);
    trainer_.write_schedule(schedule);
    // Both phases are recorded in one step: the generator's goes on from the pass that the discriminators' left.
    const bool whole = entry.recordings[0] != nullptr && entry.recordings[1] != nullptr;
    if (phase == StepPhase::kDiscriminators && !whole) entry.recordings = {};
    if (!entry.recordings[index_of(phase)]) record(entry, phase, entry.shape.structure);
  } catch (const c10::Error& error) {
    // Memory, or an operation that cannot be recorded: ordinary steps go on.
    TORCH_WARN("training steps are not recorded any more: ", error.what_without_backtrace());
    trainer_.abandon(phase, before);
    give_up();
    return false;
  }
  entry.recordings[index_of(phase)]->replay();
  ++counts_.replayed;
  trainer_.finish_phase(phase, schedule.step, entry.results[index_of(phase)]->losses);
  return true;
}

void CapturedSteps::record(Entry& entry, StepPhase phase, const StepStructure& structure) {
  auto results = std::make_shared<Results>();
  results->values_K = at::zeros({kResultCapacity}, at::TensorOptions(parameter_type(trainer_.settings().precision))
                                                       .device(trainer_.device()));
  auto work = [trainer = &trainer_, phase, structure, buffers = entry.buffers, results] {
    DeviceNoise noise(buffers->key_2, buffers->utterance_ids_B);
    trainer->run_phase(phase, structure, buffers->inputs, noise);
    results->take(trainer->losses());
    if (phase == StepPhase::kGenerator) trainer->clear_gradients();
  };
  entry.results[index_of(phase)] = results;
  entry.recordings[index_of(phase)] = recorder_->record(work);
  if (phase == StepPhase::kDiscriminators) counts_.kernels = 0;
  counts_.kernels += entry.recordings[index_of(phase)]->kernels();
  ++counts_.recorded;
}

void CapturedSteps::run_eagerly(StepPhase phase, const StepSchedule& schedule) {
  const StepLosses before = phase == StepPhase::kGenerator ? trainer_.losses() : StepLosses{};
  const auto work = [&] {
    trainer_.accumulate(phase, batch_->inputs, schedule, *noise_of(batch_->utterance_ids, schedule.step));
    trainer_.apply(phase, schedule);
  };
  ++counts_.rehearsed;
  try {
    recorder_->rehearse(work);
  } catch (const c10::OutOfMemoryError&) {
    if (kept_recordings() == 0) throw;
    // The recordings' memory may be what is missing.
    trainer_.abandon(phase, before);
    give_up();
    recorder_->rehearse(work);
  }
}

void CapturedSteps::discard() {
  batch_.reset();
  replayed_ = nullptr;
  trainer_.discard();
}

void CapturedSteps::drop() {
  counts_.dropped += kept_recordings();
  replayed_ = nullptr;
  entries_.clear();
  gave_up_ = false;
  if (recorder_) recorder_->release();
}

void CapturedSteps::give_up() {
  drop();
  gave_up_ = true;
}

}  // namespace valetts
