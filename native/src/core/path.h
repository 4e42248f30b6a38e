// Whether a pass takes the fast implementation of an operation or the plain one that it is checked against.
#pragma once

#include <cstdint>

namespace valetts {

// What a step on a GPU may use, from the environment variable VALETTS_GPU_PATH, read once:
//   plain     (the default) libtorch's operations and the alignment kernel
//   fused     the hand-written CUDA kernels too; draws and segments stay on the device, so that a step waits for nothing
//   graphs    the same, recorded once for each shape and replayed (train/captured_steps.h)
//   branches  the same, independent parts of a pass side by side on streams of their own (core/side_by_side.h)
// The default moves on when docs/gpu-ledger.md holds a pass of the next one.
enum class GpuPath : int32_t { kPlain = 0, kFused = 1, kGraphs = 2, kBranches = 3 };

// Errors: INVALID_ARGUMENT for another value of the variable.
GpuPath gpu_path();

// Whether steps are recorded and replayed.
inline bool records_steps(GpuPath path) { return path >= GpuPath::kGraphs; }

// True inside a PlainPathScope on this thread.
bool on_plain_path();

// While it lives, operations with a hand-written implementation on this thread use their plain form.
class PlainPathScope {
 public:
  explicit PlainPathScope(bool plain);
  ~PlainPathScope();
  PlainPathScope(const PlainPathScope&) = delete;
  PlainPathScope& operator=(const PlainPathScope&) = delete;

 private:
  bool outer_;
};

}  // namespace valetts
