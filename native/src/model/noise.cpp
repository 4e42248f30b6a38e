#include "model/noise.h"

#include "core/random.h"
#include "philox/philox.h"

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

DeviceNoise::DeviceNoise(at::Tensor key_2, at::Tensor utterance_ids_B)
    : key_2_(std::move(key_2)), utterance_ids_B_(std::move(utterance_ids_B)) {}

at::Tensor DeviceNoise::normal_BCT(NoiseStream stream, int64_t channels, int64_t time) {
  return draw_BCT(DrawKind::kNormal, key_2_, static_cast<uint32_t>(stream), utterance_ids_B_, channels, time);
}

at::Tensor DeviceNoise::uniform_B(NoiseStream stream) {
  return draw_BCT(DrawKind::kUniform, key_2_, static_cast<uint32_t>(stream), utterance_ids_B_, 1, 1).view({-1});
}

at::Tensor DeviceNoise::keep_mask_BCT(uint32_t site, int64_t channels, int64_t time, double probability) {
  return draw_BCT(DrawKind::kKeepMask, key_2_, static_cast<uint32_t>(NoiseStream::kDropout) + site, utterance_ids_B_, channels,
                  time, probability);
}

at::Tensor draw_key(int64_t seed, int64_t step) {
  const std::array<uint32_t, 2> key = Draws(seed, step).key();
  return at::tensor({static_cast<int32_t>(key[0]), static_cast<int32_t>(key[1])}, at::kInt);
}

}  // namespace valetts
