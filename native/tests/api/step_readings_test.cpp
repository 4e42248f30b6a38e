// Metrics that wait on the device: recorded steps leave theirs in memory that the next replay writes over.
#include "api/step_readings.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cstring>

#include "core/check.h"
#include "operators.h"
#include "small_run.h"
#include "train/captured_steps.h"

namespace valetts {
namespace {

using testing::Operators;
using testing::operators_of;

// Two shapes in turns, and every fourth step in micro-batches.
void run_step(Trainer& trainer, CapturedSteps& steps, int64_t step) {
  const Corpus corpus;
  StepSchedule schedule;
  schedule.step = step;
  schedule.mel_weight = 45.0 - static_cast<double>(step);
  if (step % 4 == 3) schedule.totals = corpus.totals(trainer.settings().audio.hop_length);
  for (const StepPhase phase : {StepPhase::kDiscriminators, StepPhase::kGenerator}) {
    if (step % 4 == 3) {
      for (const int64_t first : {0, 3}) {
        const Corpus::Piece piece = corpus.piece(trainer, first, 3);
        steps.accumulate(phase, piece.inputs, piece.utterances, schedule);
      }
    } else if (phase == StepPhase::kGenerator && steps.keeps_batch()) {
      steps.accumulate_kept(schedule);
    } else {
      const Corpus::Piece piece = corpus.piece(trainer, step % 2, 2 + step % 2);
      steps.accumulate(phase, piece.inputs, piece.utterances, schedule);
    }
    steps.apply(phase, schedule);
  }
}

StepSchedule schedule_at(int64_t step) {
  StepSchedule schedule;
  schedule.step = step;
  schedule.mel_weight = 45.0 - static_cast<double>(step);
  return schedule;
}

TEST_CASE("metrics of recorded steps wait on the device and are those that are read at once") {
  constexpr int64_t kSteps = 8;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    TrainerSettings settings = small_settings();
    settings.precision = precision;
    Trainer at_once(settings, at::kCPU), later(settings, at::kCPU);
    CapturedSteps read_steps(at_once, std::make_unique<RepeatingRecorder>(), {.rehearsals = 1});
    CapturedSteps unread_steps(later, std::make_unique<RepeatingRecorder>(), {.rehearsals = 1});
    UnreadSteps unread;
    std::vector<vt_step_metrics> expected;
    for (int64_t step = 0; step < kSteps; ++step) {
      StepReading reading(schedule_at(step), at::kCPU);
      run_step(at_once, read_steps, step);
      reading.take(at_once.losses());
      expected.push_back(reading.metrics(reading.values_K().const_data_ptr<float>()));
      const Operators operators = operators_of([&] {
        unread.begin(schedule_at(step), at::kCPU);
        run_step(later, unread_steps, step);
        unread.keep(later.losses());
      });
      CHECK_EQ(operators.asking(), std::string());
    }
    CHECK_GT(unread_steps.counts().replayed, 0);
    CHECK_GT(unread_steps.counts().plain, 0);
    CHECK_EQ(unread.count(), kSteps);
    std::vector<vt_step_metrics> actual;
    const Operators bringing = operators_of([&] { actual = unread.read(kSteps); });
    CHECK_EQ(bringing.transfers, 1);
    CHECK_EQ(unread.count(), 0);
    REQUIRE_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) {
      CAPTURE(i);
      CHECK_EQ(actual[i].step, static_cast<int64_t>(i));
      CHECK_EQ(std::memcmp(&actual[i], &expected[i], sizeof(vt_step_metrics)), 0);
    }
    CHECK_NE(actual[4].loss_mel, actual[6].loss_mel);
  }
}

}  // namespace
}  // namespace valetts
