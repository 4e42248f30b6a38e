// Training steps that are recorded once for each shape and replayed (docs/adr/0011-captured-steps.md).
//
// A batch in one piece is padded to its bucket, so that few shapes occur. The first steps of a shape are ordinary ones; then
// both phases are recorded over buffers that stay, and later batches of that shape are copied into the buffers and the
// recording replayed. Micro-batches, rare shapes and everything after memory ran short are ordinary steps, with the same
// results, bit for bit where the device's operations are deterministic.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "train/recorder.h"
#include "train/trainer.h"

namespace valetts {

// The shape to which a batch is padded: frames in steps of 64, at least a segment; tokens in steps that grow with the frames,
// so that a bucket of frames has few of them.
struct StepShape {
  int64_t items = 0;
  int64_t tokens = 0;
  int64_t frames = 0;
  StepStructure structure;

  static StepShape of(const StepInputs& inputs, const StepSchedule& schedule, int64_t segment_frames);
  auto operator<=>(const StepShape&) const = default;
};

struct CaptureSettings {
  int64_t rehearsals = 3;   // ordinary steps of a shape before it is recorded
  int64_t recordings = 48;  // shapes kept; the least recently used is dropped first
};

// What was done so far, phase by phase.
struct CaptureCounts {
  int64_t plain = 0;     // in micro-batches, or without a recorder
  int64_t rehearsed = 0;
  int64_t recorded = 0;
  int64_t replayed = 0;
  int64_t dropped = 0;   // shapes
  int64_t kernels = 0;   // that a replay of the shape recorded last runs on the device, both phases
};

class CapturedSteps {
 public:
  // recorder: NULL leaves every step an ordinary one. The trainer outlives this.
  CapturedSteps(Trainer& trainer, std::unique_ptr<Recorder> recorder, CaptureSettings settings = {});

  // As Trainer::accumulate and apply, over draws keyed by the utterances. The work on a batch in one piece is done by apply.
  void accumulate(StepPhase phase, const StepInputs& inputs, const std::vector<int64_t>& utterance_ids,
                  const StepSchedule& schedule);
  // Whether the generator's phase needs no batch: accumulate_kept takes up the one of the discriminators' phase.
  bool keeps_batch() const { return batch_ || trainer_.keeps_pass(); }
  void accumulate_kept(const StepSchedule& schedule);
  void apply(StepPhase phase, const StepSchedule& schedule);
  void discard();
  // Forgets all recordings: weights or optimizer states may lie elsewhere.
  void drop();

  const CaptureCounts& counts() const { return counts_; }

 private:
  // What a recording reads.
  struct Buffers {
    StepInputs inputs;
    at::Tensor key_2;
    at::Tensor utterance_ids_B;
  };
  // What it leaves: the scalars of StepLosses side by side, and StepLosses that show them.
  struct Results {
    at::Tensor values_K;
    StepLosses losses;
    void take(const StepLosses& computed);
  };
  struct Entry {
    StepShape shape;
    int64_t rehearsed = 0;
    std::shared_ptr<Buffers> buffers{};
    // By phase.
    std::array<std::unique_ptr<Recording>, 2> recordings{};
    std::array<std::shared_ptr<Results>, 2> results{};
  };
  // The batch of the step under way, where it came in one piece.
  struct Batch {
    StepInputs inputs;  // padded
    std::vector<int64_t> utterance_ids;
    StepPhase phase;  // for which it was accumulated last
  };

  std::unique_ptr<NoiseSource> noise_of(const std::vector<int64_t>& utterance_ids, int64_t step) const;
  StepShape shape_of(const Batch& batch, const StepSchedule& schedule) const;
  Entry& entry_of(const StepShape& shape);
  void make_room();
  void fill(Entry& entry, int64_t step);
  // Whether the phase was replayed. Where it was not, it has not begun.
  bool run_recorded(Entry& entry, StepPhase phase, const StepSchedule& schedule);
  void run_eagerly(StepPhase phase, const StepSchedule& schedule);
  void record(Entry& entry, StepPhase phase, const StepStructure& structure);
  int64_t kept_recordings() const;
  void give_up();

  Trainer& trainer_;
  std::unique_ptr<Recorder> recorder_;
  CaptureSettings settings_;
  CaptureCounts counts_;
  std::list<Entry> entries_;  // the most recently used first
  std::optional<Batch> batch_;
  Entry* replayed_ = nullptr;  // whose recording did the discriminators' phase of the step under way
  bool gave_up_ = false;
};

}  // namespace valetts
