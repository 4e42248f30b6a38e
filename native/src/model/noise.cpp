#include "model/noise.h"

#include "core/random.h"

namespace valetts {

KeyedNoise::KeyedNoise(int64_t seed, int64_t step, std::vector<int64_t> utterance_ids, at::Device device)
    : seed_(seed), step_(step), utterance_ids_(std::move(utterance_ids)), device_(device) {}

at::Tensor KeyedNoise::normal_BCT(NoiseStream stream, int64_t channels, int64_t time) {
  return Draws(seed_, step_)
      .normal_BCT(static_cast<uint32_t>(stream), utterance_ids_, channels, time)
      .to(device_);
}

at::Tensor KeyedNoise::uniform_B(NoiseStream stream) {
  return Draws(seed_, step_).uniform_B(static_cast<uint32_t>(stream), utterance_ids_);
}

at::Tensor KeyedNoise::keep_mask_BCT(uint32_t site, int64_t channels, int64_t time, double probability) {
  return Draws(seed_, step_)
      .keep_mask_BCT(static_cast<uint32_t>(NoiseStream::kDropout) + site, utterance_ids_, channels, time,
                     static_cast<float>(probability))
      .to(device_);
}

}  // namespace valetts
