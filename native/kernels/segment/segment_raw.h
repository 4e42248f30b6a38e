// Segments on raw pointers. Formulas and shapes are in segment.h.
#pragma once

#include <cstdint>

namespace valetts {

struct SegmentShape {
  int64_t batch;
  int64_t channels;
  int64_t mel_bins;
  int64_t time;     // frames of z and mel
  int64_t samples;  // of an item
  int64_t frames;   // of the segment
  int64_t hop;
};

struct SegmentInputs {
  const float* z_BCS;
  const float* mel_BMS;
  const float* samples_BN;
  const float* silent_mel_M;
  const int64_t* lengths_B;
  const float* uniform_B;
};

struct SegmentOutputs {
  int64_t* starts_B;
  float* z_BCL;
  float* mel_BML;
  float* samples_BN;
};

// One item on the CPU: the plain loops.
void segment_item(const SegmentShape& shape, int64_t item, const SegmentInputs& in, const SegmentOutputs& out);
// The gradient of the item's z, 0 outside of the segment.
void segment_backward_item(const SegmentShape& shape, int64_t item, const int64_t* starts_B, const float* grad_BCL,
                           float* grad_z_BCS);

// On a CUDA device; every pointer is contiguous device memory. Each returns null, or what is wrong. `stream` is a cudaStream_t.
const char* segment_cuda(const SegmentShape& shape, const SegmentInputs& in, const SegmentOutputs& out, void* stream);
const char* segment_backward_cuda(const SegmentShape& shape, const int64_t* starts_B, const float* grad_BCL, float* grad_z_BCS,
                                  void* stream);

}  // namespace valetts
