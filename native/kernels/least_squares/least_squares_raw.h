// Least squares on raw pointers. The formula is in least_squares.h.
#pragma once

#include <cstdint>

#include "core/value_type.h"

namespace valetts {

// One piece on the CPU: the plain loops, in double.
double squared_distance(const float* x, int64_t count, float target);
// d parts / d x times `grad`.
void squared_distance_backward(const float* x, int64_t count, float target, float grad, float* to);

constexpr int kMostPieces = 64;

// Pieces of values on a GPU.
struct LeastSquaresTable {
  const void* x[kMostPieces];
  void* to[kMostPieces];  // their gradients; null forward
  int64_t count[kMostPieces];
  float target[kMostPieces];
  int pieces;
};

// On a CUDA device; parts and grad have a value for each piece. Each returns null, or what is wrong. `stream` is a cudaStream_t.
const char* least_squares_cuda(ValueType type, const LeastSquaresTable& table, float* parts, void* stream);
const char* least_squares_backward_cuda(ValueType type, const LeastSquaresTable& table, const float* grad, void* stream);

}  // namespace valetts
