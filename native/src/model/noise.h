// Where a forward pass gets its random draws from. Training draws are keyed by seed, step and utterance; parity checks
// feed recorded ones.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace valetts {

enum class NoiseStream : uint32_t {
  kPosterior = 0,          // z = m + noise * exp(logs)
  kDurationPosterior = 1,  // e_q of the stochastic duration predictor
  kDurationReverse = 2,    // its sampling pass
  kSegment = 3,            // uniform position of the decoder's segment
  kAlignment = 4,          // noise-scaled alignment
  kPrior = 5,              // z_p at synthesis
  kDropout = 64            // first of the dropout sites
};

class NoiseSource {
 public:
  virtual ~NoiseSource() = default;
  // N(0,1) [B, channels, time].
  virtual at::Tensor normal_BCT(NoiseStream stream, int64_t channels, int64_t time) = 0;
  // U[0,1) [B], on any device.
  virtual at::Tensor uniform_B(NoiseStream stream) = 0;
  // 0 or 1/(1-p) [B, channels, time]; an undefined tensor means no dropout.
  virtual at::Tensor keep_mask_BCT(uint32_t site, int64_t channels, int64_t time, double probability) = 0;
};

// Draws keyed by (seed, step, utterance); they depend neither on padding nor on the other utterances of the batch.
class KeyedNoise : public NoiseSource {
 public:
  KeyedNoise(int64_t seed, int64_t step, std::vector<int64_t> utterance_ids, at::Device device);
  at::Tensor normal_BCT(NoiseStream stream, int64_t channels, int64_t time) override;
  at::Tensor uniform_B(NoiseStream stream) override;
  at::Tensor keep_mask_BCT(uint32_t site, int64_t channels, int64_t time, double probability) override;

 private:
  int64_t seed_;
  int64_t step_;
  std::vector<int64_t> utterance_ids_;
  at::Device device_;
};

// The same draws, bit for bit, made where the pass runs from a key and utterances that lie there: a recorded pass draws anew
// when they change. On the CPU slower than KeyedNoise.
class DeviceNoise : public NoiseSource {
 public:
  // key_2: draw_key() on the device; utterance_ids_B: int64. Both are read at each draw.
  DeviceNoise(at::Tensor key_2, at::Tensor utterance_ids_B);
  at::Tensor normal_BCT(NoiseStream stream, int64_t channels, int64_t time) override;
  at::Tensor uniform_B(NoiseStream stream) override;
  at::Tensor keep_mask_BCT(uint32_t site, int64_t channels, int64_t time, double probability) override;

 private:
  at::Tensor key_2_;
  at::Tensor utterance_ids_B_;
};

// The bits of a step's Philox key, int32 [2] on the host.
at::Tensor draw_key(int64_t seed, int64_t step);

// One forward pass: whether dropout is on, and the draws.
struct Pass {
  bool training;
  NoiseSource& noise;
};

}  // namespace valetts
