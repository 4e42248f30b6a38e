// The distance of feature maps on raw pointers. The formula is in feature_matching.h.
#pragma once

#include <cstdint>

#include "core/value_type.h"

namespace valetts {

// One map: mean |generated - real|, and its gradient times `grad`: the plain loops, in double.
double map_distance(const float* generated, const float* real, int64_t count);
void map_distance_backward(const float* generated, const float* real, int64_t count, float grad, float* to);

constexpr int kMostMaps = 64;
// Values of a map that a block takes.
constexpr int64_t kMapPiece = 16384;

struct FeatureMapTable {
  const void* generated[kMostMaps];
  const void* real[kMostMaps];
  void* to[kMostMaps];  // the gradients of `generated`; null forward
  int64_t count[kMostMaps];
  int first_piece[kMostMaps + 1];  // among all pieces, map by map
  int maps;
};

// On a CUDA device. pieces_P: room for first_piece[maps] values; distance and grad are scalars. Each returns null, or what is
// wrong. `stream` is a cudaStream_t.
const char* feature_distance_cuda(ValueType type, const FeatureMapTable& table, float* pieces_P, float* distance, void* stream);
const char* feature_distance_backward_cuda(ValueType type, const FeatureMapTable& table, const float* grad, void* stream);

}  // namespace valetts
