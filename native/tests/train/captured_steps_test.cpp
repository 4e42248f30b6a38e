// Steps that are recorded once and replayed: they equal ordinary ones, whatever changes from step to step, and what cannot be
// recorded is an ordinary step. The recorder that does the work over stands in for a GPU's graphs.
#include "train/captured_steps.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <sstream>

#include "core/check.h"
#include "fixtures.h"
#include "small_run.h"
#include "tensor_checks.h"

#ifdef VALETTS_CUDA
#include <ATen/Context.h>
#endif

namespace valetts {
namespace {

TrainerSettings settings_with(bool stochastic) {
  TrainerSettings settings = small_settings();
  settings.model.stochastic_duration_predictor = stochastic;
  settings.model.dropout = 0.1;
  settings.average_decay = 0.99;
  return settings;
}

// Nothing stays as it was, and the alignment noise ends at step 5000.
StepSchedule changing_schedule(int64_t step) {
  const auto n = static_cast<double>(step % 10);
  StepSchedule schedule;
  schedule.step = step;
  schedule.generator_learning_rate = 2e-4 * (n + 1.0);
  schedule.discriminator_learning_rate = 3e-4 / (n + 1.0);
  schedule.duration_discriminator_learning_rate = 1e-4 + 1e-5 * n;
  schedule.mel_weight = 45.0 - n;
  schedule.kl_weight = 0.1 * (n + 1.0);
  schedule.gradient_limit = 1.0 + n;
  return schedule;
}

// Three of the six utterances, so that lengths differ within one shape.
Corpus::Piece batch_of(const Trainer& trainer, int64_t step) { return Corpus().piece(trainer, step % 3, 3); }

void run_phase(CapturedSteps& steps, StepPhase phase, const Corpus::Piece& piece, const StepSchedule& schedule) {
  if (phase == StepPhase::kGenerator && steps.keeps_batch()) {
    steps.accumulate_kept(schedule);
  } else {
    steps.accumulate(phase, piece.inputs, piece.utterances, schedule);
  }
  steps.apply(phase, schedule);
}

void run_step(CapturedSteps& steps, const Corpus::Piece& piece, const StepSchedule& schedule) {
  for (const StepPhase phase : {StepPhase::kDiscriminators, StepPhase::kGenerator}) run_phase(steps, phase, piece, schedule);
}

// The same step by the trainer alone.
void run_plainly(Trainer& trainer, const Corpus::Piece& piece, const StepSchedule& schedule) {
  const StepShape shape = StepShape::of(piece.inputs, schedule, trainer.settings().segment_frames);
  KeyedNoise noise(trainer.settings().seed, schedule.step, piece.utterances, trainer.device());
  trainer.step(trainer.padded(piece.inputs, shape.tokens, shape.frames), schedule, noise);
}

void check_equal_losses(const StepLosses& actual, const StepLosses& expected) {
  VT_CHECK_SAME_BITS(actual.generator_total, expected.generator_total);
  VT_CHECK_SAME_BITS(actual.adversarial.total, expected.adversarial.total);
  VT_CHECK_SAME_BITS(actual.feature_matching, expected.feature_matching);
  VT_CHECK_SAME_BITS(actual.mel, expected.mel);
  VT_CHECK_SAME_BITS(actual.kl, expected.kl);
  VT_CHECK_SAME_BITS(actual.duration, expected.duration);
  VT_CHECK_SAME_BITS(actual.duration_adversarial, expected.duration_adversarial);
  VT_CHECK_SAME_BITS(actual.discriminator.total, expected.discriminator.total);
  VT_CHECK_SAME_BITS(actual.duration_discriminator.total, expected.duration_discriminator.total);
  VT_CHECK_SAME_BITS(actual.generator_norm, expected.generator_norm);
  VT_CHECK_SAME_BITS(actual.discriminator_norm, expected.discriminator_norm);
  VT_CHECK_SAME_BITS(actual.generator_overflow, expected.generator_overflow);
  VT_CHECK_SAME_BITS(actual.loss_scale, expected.loss_scale);
  REQUIRE_EQ(actual.adversarial.parts.size(), expected.adversarial.parts.size());
  for (size_t i = 0; i < actual.adversarial.parts.size(); ++i) {
    VT_CHECK_SAME_BITS(actual.adversarial.parts[i], expected.adversarial.parts[i]);
    VT_CHECK_SAME_BITS(actual.discriminator.real_parts[i], expected.discriminator.real_parts[i]);
  }
}

void check_equal_weights(Trainer& actual, Trainer& expected) {
  auto check = [](const ParameterStore& a, const ParameterStore& b) {
    for (size_t i = 0; i < a.entries().size(); ++i) {
      CAPTURE(a.entries()[i].first);
      VT_CHECK_SAME_BITS(a.entries()[i].second.detach(), b.entries()[i].second.detach());
    }
  };
  check(actual.generator()->parameters(), expected.generator()->parameters());
  check(actual.voice_generator()->parameters(), expected.voice_generator()->parameters());
  check(actual.discriminator_parameters(), expected.discriminator_parameters());
  check(actual.duration_discriminator_parameters(), expected.duration_discriminator_parameters());
}

// Records nothing: memory runs out in the phase of the given index, after its work has begun.
class FullRecorder : public RepeatingRecorder {
 public:
  explicit FullRecorder(int64_t failing) : failing_(failing) {}
  std::unique_ptr<Recording> record(const std::function<void()>& work) override {
    if (recorded_++ == failing_) {
      TORCH_CHECK_WITH(OutOfMemoryError, false, "the pool is full");
    }
    return RepeatingRecorder::record(work);
  }

 private:
  int64_t failing_;
  int64_t recorded_ = 0;
};

// Counts a hundred kernels for each phase that it records, and ten more for each before.
class CountingRecorder : public RepeatingRecorder {
 public:
  std::unique_ptr<Recording> record(const std::function<void()>& work) override {
    struct Counted : Recording {
      std::function<void()> work;
      int64_t count = 0;
      void replay() override { work(); }
      int64_t kernels() const override { return count; }
    };
    auto recording = std::make_unique<Counted>();
    recording->work = work;
    recording->count = 100 + 10 * recorded_++;
    return recording;
  }

 private:
  int64_t recorded_ = 0;
};

// Fails in one rehearsal, as an ordinary step does whose memory the recordings hold.
class CrowdedRecorder : public RepeatingRecorder {
 public:
  explicit CrowdedRecorder(int64_t failing) : failing_(failing) {}
  void rehearse(const std::function<void()>& work) override {
    work();
    if (rehearsed_++ == failing_) TORCH_CHECK_WITH(OutOfMemoryError, false, "no room");
  }
  void release() override { ++released; }
  int64_t released = 0;

 private:
  int64_t failing_;
  int64_t rehearsed_ = 0;
};

TEST_CASE("replayed steps equal ordinary ones bit for bit while schedule, draws and lengths change") {
  for (const bool stochastic : {false, true}) {
    CAPTURE(stochastic);
    Trainer replaying(settings_with(stochastic), at::kCPU), plain(settings_with(stochastic), at::kCPU);
    CapturedSteps steps(replaying, std::make_unique<RepeatingRecorder>(), {.rehearsals = 1});
    for (const int64_t step : {0, 1, 2, 3, 4, 4998, 4999, 5000, 5001, 5002}) {
      CAPTURE(step);
      const Corpus::Piece piece = batch_of(plain, step);
      run_step(steps, piece, changing_schedule(step));
      run_plainly(plain, piece, changing_schedule(step));
      check_equal_losses(replaying.losses(), plain.losses());
    }
    check_equal_weights(replaying, plain);
    // With and without alignment noise, one step of each rehearsed.
    CHECK_EQ(steps.counts().rehearsed, 4);
    CHECK_EQ(steps.counts().recorded, 4);
    CHECK_EQ(steps.counts().replayed, 16);
  }
}

TEST_CASE("a step that learned nothing for a gradient that is not finite is left out by a replay too") {
  TrainerSettings settings = settings_with(false);
  Trainer replaying(settings, at::kCPU), plain(settings, at::kCPU);
  CapturedSteps steps(replaying, std::make_unique<RepeatingRecorder>(), {.rehearsals = 1});
  for (int64_t step = 0; step < 4; ++step) {
    CAPTURE(step);
    const Corpus::Piece piece = batch_of(plain, step);
    StepSchedule schedule = changing_schedule(step);
    if (step == 2) schedule.mel_weight = std::numeric_limits<double>::infinity();
    run_step(steps, piece, schedule);
    run_plainly(plain, piece, schedule);
    CHECK_EQ(replaying.losses().generator_overflow.item<float>(), step == 2 ? 1.0f : 0.0f);
  }
  check_equal_weights(replaying, plain);
}

// Each operator that the present thread runs, with the shapes of its tensors and the numbers it takes from the host.
std::vector<std::string>* running = nullptr;

void describe(std::ostringstream& out, const c10::IValue& value) {
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    if (!tensor.defined()) {
      out << " -";
    } else if (tensor.unsafeGetTensorImpl()->is_wrapped_number()) {
      // Read where it lies: an operator would be recorded in its turn.
      if (tensor.scalar_type() == at::kDouble) out << ' ' << *tensor.const_data_ptr<double>();
      if (tensor.scalar_type() == at::kLong) out << ' ' << *tensor.const_data_ptr<int64_t>();
    } else {
      out << ' ' << tensor.scalar_type() << tensor.sizes();
    }
  } else if (value.isTensorList()) {
    out << " list of " << value.toTensorVector().size();
  } else if (value.isScalar() || value.isNone() || value.isIntList() || value.isDoubleList() || value.isBoolList() ||
             value.isDevice() || value.isString()) {
    out << ' ' << value;
  } else {
    out << ' ' << value.tagKind();
  }
}

std::unique_ptr<at::ObserverContext> on_entry(const at::RecordFunction& function) {
  std::ostringstream out;
  out.precision(17);
  out << function.name();
  for (const c10::IValue& value : function.inputs()) describe(out, value);
  running->push_back(out.str());
  return nullptr;
}

template <typename Work>
std::vector<std::string> operators_of(const Work& work) {
  std::vector<std::string> operators;
  running = &operators;
  const auto handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(on_entry).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  work();
  at::removeCallback(handle);
  running = nullptr;
  return operators;
}

TEST_CASE("a phase runs the same operators with the same numbers of the host, whatever the schedule and the batch") {
  Trainer trainer(settings_with(true), at::kCPU);
  const int64_t seed = trainer.settings().seed;
  auto phases_of = [&](int64_t step) {
    const Corpus::Piece piece = batch_of(trainer, step);
    const StepSchedule schedule = changing_schedule(step);
    const StepShape shape = StepShape::of(piece.inputs, schedule, trainer.settings().segment_frames);
    const StepInputs inputs = trainer.padded(piece.inputs, shape.tokens, shape.frames);
    DeviceNoise noise(draw_key(seed, step), at::tensor(piece.utterances, at::kLong));
    trainer.write_schedule(schedule);
    return operators_of([&] {
      trainer.run_phase(StepPhase::kDiscriminators, shape.structure, inputs, noise);
      trainer.run_phase(StepPhase::kGenerator, shape.structure, inputs, noise);
    });
  };
  phases_of(0);
  const std::vector<std::string> first = phases_of(1), second = phases_of(317);
  REQUIRE_GT(first.size(), 1000);
  REQUIRE_EQ(first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) {
    if (first[i] != second[i]) {
      FAIL_CHECK("operator ", i, " was ", first[i], ", then ", second[i]);
      break;
    }
  }
}

TEST_CASE("the kernels of the shape that was recorded last are told, both phases") {
  Trainer trainer(settings_with(false), at::kCPU);
  CapturedSteps steps(trainer, std::make_unique<CountingRecorder>(), {.rehearsals = 1});
  const Corpus corpus;
  int64_t step = 0;
  auto run = [&](int64_t count) {
    run_step(steps, corpus.piece(trainer, 0, count), changing_schedule(step));
    ++step;
    return steps.counts().kernels;
  };
  CHECK_EQ(run(3), 0);
  CHECK_EQ(run(3), 210);
  CHECK_EQ(run(3), 210);
  CHECK_EQ(run(2), 210);
  CHECK_EQ(run(2), 250);
}

TEST_CASE("a shape is recorded when it has been seen often enough, and rare ones are not") {
  Trainer trainer(settings_with(false), at::kCPU);
  CapturedSteps steps(trainer, std::make_unique<RepeatingRecorder>(), {.rehearsals = 2});
  const Corpus corpus;
  int64_t step = 0;
  auto run = [&](int64_t count) {
    run_step(steps, corpus.piece(trainer, 0, count), changing_schedule(step));
    ++step;
  };
  run(3);
  run(2);
  run(3);
  CHECK_EQ(steps.counts().recorded, 0);
  run(3);
  CHECK_EQ(steps.counts().recorded, 2);
  run(1);
  run(3);
  CHECK_EQ(steps.counts().recorded, 2);
  CHECK_EQ(steps.counts().replayed, 4);
  CHECK_EQ(steps.counts().rehearsed, 8);
}

TEST_CASE("the least recently used recording makes room for a new one") {
  Trainer trainer(settings_with(false), at::kCPU), plain(settings_with(false), at::kCPU);
  CapturedSteps steps(trainer, std::make_unique<RepeatingRecorder>(), {.rehearsals = 1, .recordings = 2});
  const Corpus corpus;
  int64_t step = 0;
  auto run = [&](int64_t count) {
    const Corpus::Piece piece = corpus.piece(plain, 0, count);
    run_step(steps, piece, changing_schedule(step));
    run_plainly(plain, piece, changing_schedule(step));
    ++step;
  };
  for (const int64_t count : {1, 1, 2, 2, 1}) run(count);
  CHECK_EQ(steps.counts().dropped, 0);
  // Two utterances were used last before one.
  for (const int64_t count : {3, 3}) run(count);
  CHECK_EQ(steps.counts().dropped, 1);
  CHECK_EQ(steps.counts().recorded, 6);
  run(1);
  CHECK_EQ(steps.counts().recorded, 6);
  // Counted anew.
  for (const int64_t count : {2, 2}) run(count);
  CHECK_EQ(steps.counts().recorded, 8);
  CHECK_EQ(steps.counts().dropped, 2);
  check_equal_weights(trainer, plain);
}

TEST_CASE("micro-batches are ordinary steps between replayed ones") {
  Trainer trainer(settings_with(false), at::kCPU), plain(settings_with(false), at::kCPU);
  CapturedSteps steps(trainer, std::make_unique<RepeatingRecorder>(), {.rehearsals = 1});
  const Corpus corpus;
  auto in_pieces = [&](StepPhase phase, const StepSchedule& schedule) {
    for (const int64_t first : {0, 2, 4}) {
      const Corpus::Piece piece = corpus.piece(plain, first, 2);
      steps.accumulate(phase, piece.inputs, piece.utterances, schedule);
      KeyedNoise noise(plain.settings().seed, schedule.step, piece.utterances, at::kCPU);
      plain.accumulate(phase, piece.inputs, schedule, noise);
    }
    steps.apply(phase, schedule);
    plain.apply(phase, schedule);
  };
  for (int64_t step = 0; step < 6; ++step) {
    CAPTURE(step);
    StepSchedule schedule = changing_schedule(step);
    if (step == 3) {
      schedule.totals = corpus.totals(plain.settings().audio.hop_length);
      for (const StepPhase phase : {StepPhase::kDiscriminators, StepPhase::kGenerator}) in_pieces(phase, schedule);
    } else {
      const Corpus::Piece piece = corpus.piece(plain, 0, 6);
      run_step(steps, piece, schedule);
      run_plainly(plain, piece, schedule);
    }
  }
  CHECK_EQ(steps.counts().plain, 2);
  CHECK_EQ(steps.counts().replayed, 8);
  check_equal_weights(trainer, plain);
}

TEST_CASE("where a phase cannot be recorded, it is an ordinary one and nothing is recorded any more") {
  for (const int64_t failing : {0, 1}) {
    CAPTURE(failing);
    Trainer trainer(settings_with(false), at::kCPU), plain(settings_with(false), at::kCPU);
    CapturedSteps steps(trainer, std::make_unique<FullRecorder>(failing), {.rehearsals = 1});
    for (int64_t step = 0; step < 4; ++step) {
      const Corpus::Piece piece = batch_of(plain, step);
      run_step(steps, piece, changing_schedule(step));
      run_plainly(plain, piece, changing_schedule(step));
    }
    CHECK_EQ(steps.counts().recorded, failing);
    CHECK_EQ(steps.counts().replayed, failing);
    check_equal_weights(trainer, plain);
  }
}

TEST_CASE("when memory runs out in an ordinary step, the recordings are given up for it") {
  Trainer trainer(settings_with(false), at::kCPU);
  auto recorder = std::make_unique<CrowdedRecorder>(4);
  CrowdedRecorder& crowded = *recorder;
  CapturedSteps steps(trainer, std::move(recorder), {.rehearsals = 1});
  const Corpus corpus;
  int64_t step = 0;
  // Two rehearsals and a recording of one shape, two rehearsals of another; the fifth runs short.
  for (const int64_t count : {1, 1, 2}) run_step(steps, corpus.piece(trainer, 0, count), changing_schedule(step++));
  CHECK_EQ(steps.counts().replayed, 2);
  run_step(steps, corpus.piece(trainer, 0, 3), changing_schedule(step++));
  CHECK_EQ(crowded.released, 1);
  CHECK_EQ(steps.counts().dropped, 1);
  // Nothing is left to give up: the caller has to know.
  auto again = std::make_unique<CrowdedRecorder>(0);
  CapturedSteps alone(trainer, std::move(again), {.rehearsals = 1});
  CHECK_THROWS_AS(run_step(alone, corpus.piece(trainer, 0, 1), changing_schedule(step)), c10::OutOfMemoryError);
}

TEST_CASE("a step given up between its phases leaves the next one whole") {
  Trainer trainer(settings_with(false), at::kCPU), plain(settings_with(false), at::kCPU);
  CapturedSteps steps(trainer, std::make_unique<RepeatingRecorder>(), {.rehearsals = 1});
  for (int64_t step = 0; step < 6; ++step) {
    CAPTURE(step);
    const Corpus::Piece piece = batch_of(plain, step);
    const StepSchedule schedule = changing_schedule(step);
    if (step == 1 || step == 3) {
      // While it is recorded, and when it is replayed.
      run_phase(steps, StepPhase::kDiscriminators, piece, schedule);
      steps.discard();
      const StepShape shape = StepShape::of(piece.inputs, schedule, plain.settings().segment_frames);
      KeyedNoise noise(plain.settings().seed, step, piece.utterances, at::kCPU);
      plain.accumulate(StepPhase::kDiscriminators, plain.padded(piece.inputs, shape.tokens, shape.frames), schedule, noise);
      plain.apply(StepPhase::kDiscriminators, schedule);
    } else {
      run_step(steps, piece, schedule);
      run_plainly(plain, piece, schedule);
    }
  }
  check_equal_weights(trainer, plain);
  CHECK_EQ(steps.counts().recorded, 3);
}

TEST_CASE("a state that is loaded again is recorded again") {
  const std::string folder = std::filesystem::temp_directory_path() / ("valetts-captured-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  Trainer trainer(settings_with(false), at::kCPU), plain(settings_with(false), at::kCPU);
  CapturedSteps steps(trainer, std::make_unique<RepeatingRecorder>(), {.rehearsals = 1});
  for (int64_t step = 0; step < 6; ++step) {
    const Corpus::Piece piece = batch_of(plain, step);
    run_step(steps, piece, changing_schedule(step));
    run_plainly(plain, piece, changing_schedule(step));
    if (step == 2) {
      trainer.snapshot().write(folder);
      trainer.load(folder);
      steps.drop();
    }
  }
  std::filesystem::remove_all(folder);
  CHECK_EQ(steps.counts().recorded, 4);
  CHECK_EQ(steps.counts().dropped, 1);
  check_equal_weights(trainer, plain);
}

TEST_CASE("phases out of order are refused and leave nothing behind") {
  Trainer trainer(settings_with(false), at::kCPU);
  CapturedSteps steps(trainer, std::make_unique<RepeatingRecorder>(), {.rehearsals = 0});
  const Corpus::Piece piece = batch_of(trainer, 0);
  CHECK_THROWS_AS(steps.apply(StepPhase::kDiscriminators, changing_schedule(0)), Error);
  CHECK_THROWS_AS(steps.accumulate(StepPhase::kGenerator, piece.inputs, piece.utterances, changing_schedule(0)), Error);
  steps.accumulate(StepPhase::kDiscriminators, piece.inputs, piece.utterances, changing_schedule(0));
  CHECK_THROWS_AS(steps.apply(StepPhase::kGenerator, changing_schedule(0)), Error);
  steps.discard();
  run_step(steps, piece, changing_schedule(0));
}

TEST_CASE("batches of nearly equal length share a shape") {
  Trainer trainer(small_settings(), at::kCPU);
  StepInputs inputs = Corpus().piece(trainer, 0, 2).inputs;
  auto shape = [&](int64_t tokens, int64_t frames, int64_t segment) {
    inputs.token_ids_BT = at::zeros({2, tokens}, at::kLong);
    inputs.spectrogram = at::zeros({2, 1, frames});
    const StepShape found = StepShape::of(inputs, {}, segment);
    return std::pair<int64_t, int64_t>(found.tokens, found.frames);
  };
  CHECK_EQ(shape(1, 1, 32), std::pair<int64_t, int64_t>(16, 64));
  CHECK_EQ(shape(16, 64, 32), std::pair<int64_t, int64_t>(16, 64));
  CHECK_EQ(shape(17, 65, 32), std::pair<int64_t, int64_t>(32, 128));
  CHECK_EQ(shape(126, 436, 32), std::pair<int64_t, int64_t>(144, 448));
  CHECK_EQ(shape(300, 1472, 32), std::pair<int64_t, int64_t>(352, 1472));
  CHECK_EQ(shape(5, 10, 100), std::pair<int64_t, int64_t>(16, 128));
}

#ifdef VALETTS_CUDA
TEST_CASE("CUDA graphs give the bits of ordinary steps on the same GPU") {
  if (!at::globalContext().hasCUDA()) {
    testing::count_skip("no GPU: CUDA graphs are not compared with ordinary steps");
    return;
  }
  const at::Device gpu("cuda:0");
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  at::globalContext().setDeterministicCuDNN(true);
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kFp16}) {
    CAPTURE(name_of(precision));
    TrainerSettings settings = settings_with(precision == Precision::kFp32);
    settings.precision = precision;
    Trainer replaying(settings, gpu), plain(settings, gpu);
    CapturedSteps graphs(replaying, make_graph_recorder(gpu), {.rehearsals = 2});
    CapturedSteps ordinary(plain, make_graph_recorder(gpu), {.rehearsals = 1 << 20});
    for (int64_t step = 0; step < 12; ++step) {
      CAPTURE(step);
      const Corpus::Piece piece = batch_of(plain, step);
      run_step(graphs, piece, changing_schedule(step));
      run_step(ordinary, piece, changing_schedule(step));
      check_equal_losses(replaying.losses(), plain.losses());
    }
    check_equal_weights(replaying, plain);
    CHECK_EQ(graphs.counts().recorded, 2);
    CHECK_EQ(graphs.counts().replayed, 20);
  }
  at::globalContext().setDeterministicAlgorithms(false, false);
  at::globalContext().setDeterministicCuDNN(false);
}
#endif

}  // namespace
}  // namespace valetts
