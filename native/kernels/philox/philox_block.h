// One counter of a row of draws: which values of the row it makes. Values come in blocks of 8 counters, of which word w of
// counter i makes value 8 w + i; a keep mask makes two values of a word.
#pragma once

#include "core/random_values.h"
#include "philox/philox_raw.h"

namespace valetts {

constexpr int64_t kDrawLanes = 8;

VT_DRAW int64_t values_of_block(DrawKind kind) { return (kind == DrawKind::kKeepMask ? 8 : 4) * kDrawLanes; }

// Counter `counter` of row (item, channel); out_T is the row.
VT_DRAW void philox_counter(const DrawShape& shape, const uint32_t* key_2, uint64_t id, int64_t channel, int64_t counter,
                            float* out_T) {
  uint32_t words[4] = {static_cast<uint32_t>(counter), (shape.stream << 20) | static_cast<uint32_t>(channel),
                       static_cast<uint32_t>(id), static_cast<uint32_t>(id >> 32)};
  philox_rounds(words, key_2[0], key_2[1]);
  const int64_t block = counter / kDrawLanes, lane = counter % kDrawLanes;
  const int64_t first = block * values_of_block(shape.kind) + lane;
  float values[8];
  int made = 4;
  if (shape.kind == DrawKind::kUniform) {
    for (int w = 0; w < 4; ++w) values[w] = uniform_value(words[w]);
  } else if (shape.kind == DrawKind::kNormal) {
    for (int pair = 0; pair < 2; ++pair) {
      const float r = normal_radius(words[2 * pair]);
      float cosine, sine;
      cosine_and_sine(words[2 * pair + 1], cosine, sine);
      values[2 * pair] = r * cosine;
      values[2 * pair + 1] = r * sine;
    }
  } else {
    made = 8;
    for (int w = 0; w < 4; ++w) {
      values[2 * w] = static_cast<int32_t>(words[w] & 0xFFFFu) >= shape.threshold ? shape.scale : 0.0f;
      values[2 * w + 1] = static_cast<int32_t>(words[w] >> 16) >= shape.threshold ? shape.scale : 0.0f;
    }
  }
  for (int v = 0; v < made; ++v) {
    const int64_t t = first + v * kDrawLanes;
    if (t < shape.time) out_T[t] = values[v];
  }
}

// Counters of a row, a multiple of the lanes.
VT_DRAW int64_t counters_of_row(const DrawShape& shape) {
  const int64_t block = values_of_block(shape.kind);
  return (shape.time + block - 1) / block * kDrawLanes;
}

}  // namespace valetts
