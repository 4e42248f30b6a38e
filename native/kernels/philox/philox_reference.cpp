#include "philox/philox_block.h"

namespace valetts {

void philox_fill(const DrawShape& shape, const uint32_t* key_2, const int64_t* ids_B, float* out_BCT) {
  const int64_t counters = counters_of_row(shape);
  for (int64_t row = 0; row < shape.batch * shape.channels; ++row) {
    const auto id = static_cast<uint64_t>(ids_B[row / shape.channels]);
    for (int64_t counter = 0; counter < counters; ++counter) {
      philox_counter(shape, key_2, id, row % shape.channels, counter, out_BCT + row * shape.time);
    }
  }
}

}  // namespace valetts
