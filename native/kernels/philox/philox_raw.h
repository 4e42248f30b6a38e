// Random draws on raw pointers: what core/random.h draws on the host, filled in where the step runs. No torch.
#pragma once

#include <cstdint>

namespace valetts {

enum class DrawKind : int32_t { kNormal, kUniform, kKeepMask };

struct DrawShape {
  DrawKind kind;
  uint32_t stream;  // which draw it is: below 4096
  int64_t batch;
  int64_t channels;  // below 2^20
  int64_t time;      // below 2^34
  int32_t threshold = 0;  // keep masks: how many of 65536 are dropped ...
  float scale = 1.0f;     // ... and what stands where one is kept
};

// Fills out_BCT [B,C,T]. key_2: the step's Philox key; ids_B: one key for each item. Plain loops.
void philox_fill(const DrawShape& shape, const uint32_t* key_2, const int64_t* ids_B, float* out_BCT);

// The same on a CUDA device, all pointers there; the key too, so that a recorded step draws anew when it changes. `stream` is
// a cudaStream_t. Returns NULL, or what is wrong.
const char* philox_cuda(const DrawShape& shape, const uint32_t* key_2, const int64_t* ids_B, float* out_BCT, void* stream);

}  // namespace valetts
