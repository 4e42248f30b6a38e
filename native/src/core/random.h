// Random draws that depend on what is drawn and not on when or where: Philox4x32-10, a counter-based generator
// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
//
// A value is a pure function of (seed, step, stream, utterance, channel, time). It does not depend on the padding, on
// the other items of the batch, on the number of threads or on the processor, so a run can be resumed, replayed over
// micro-batches and compared across machines.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

namespace valetts {

// One Philox4x32 block of ten rounds.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// All draws of one step. Cheap to make and to copy; has no state that a draw would change. Any thread.
//   stream         which draw it is (posterior noise, dropout of layer 3, ...): below 4096, unique within a step
//   utterance_ids  key of each batch item: any 64-bit value
//   channels       below 2^20;  time below 2^34
// Results are float32, contiguous, on the CPU. Errors: INVALID_ARGUMENT for a stream or size out of range.
class Draws {
 public:
  Draws(int64_t seed, int64_t step);

  // The Philox key of this step.
  const std::array<uint32_t, 2>& key() const { return key_; }

  // Standard normal values [B,C,T] (Box-Muller; at most 6.7 in absolute value).
  at::Tensor normal_BCT(uint32_t stream, const std::vector<int64_t>& utterance_ids, int64_t channels,
                        int64_t time) const;
  // Uniform values in [0,1), multiples of 2^-24, [B,C,T].
  at::Tensor uniform_BCT(uint32_t stream, const std::vector<int64_t>& utterance_ids, int64_t channels,
                         int64_t time) const;
  // One uniform value in [0,1) for each item, [B].
  at::Tensor uniform_B(uint32_t stream, const std::vector<int64_t>& utterance_ids) const;
  // Dropout: 0 with probability p (to the next multiple of 2^-16), else 1/(1-p); p in [0,1). [B,C,T].
  at::Tensor keep_mask_BCT(uint32_t stream, const std::vector<int64_t>& utterance_ids, int64_t channels, int64_t time,
                           float drop_probability) const;

 private:
  std::array<uint32_t, 2> key_;
};

}  // namespace valetts
