// One launch: blocks of a row take the item's values of latent, mel and samples in turn, side by side as they lie in the output.
#include <cuda_runtime.h>

#include "segment/segment_raw.h"

namespace valetts {
namespace {

constexpr int kThreads = 256;

__device__ int64_t start_of(const SegmentShape& shape, int64_t length, float uniform) {
  const int64_t positions = length - (shape.frames - 1) > 1 ? length - (shape.frames - 1) : 1;
  return static_cast<int64_t>(uniform * static_cast<float>(positions));
}

__global__ void segment_kernel(SegmentShape shape, SegmentInputs in, SegmentOutputs out) {
  const int64_t item = blockIdx.y;
  const int64_t start = start_of(shape, in.lengths_B[item], in.uniform_B[item]);
  if (blockIdx.x == 0 && threadIdx.x == 0) out.starts_B[item] = start;
  const int64_t of_z = shape.channels * shape.frames, of_mel = shape.mel_bins * shape.frames;
  const int64_t of_samples = shape.frames * shape.hop;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i < of_z) {
    const int64_t row = item * shape.channels + i / shape.frames, s = start + i % shape.frames;
    out.z_BCL[item * of_z + i] = s < shape.time ? in.z_BCS[row * shape.time + s] : 0.0f;
  } else if (i < of_z + of_mel) {
    const int64_t in_mel = i - of_z, bin = in_mel / shape.frames, s = start + in_mel % shape.frames;
    out.mel_BML[item * of_mel + in_mel] =
        s < shape.time ? in.mel_BMS[(item * shape.mel_bins + bin) * shape.time + s] : in.silent_mel_M[bin];
  } else if (i < of_z + of_mel + of_samples) {
    const int64_t n = i - of_z - of_mel, from = start * shape.hop + n;
    out.samples_BN[item * of_samples + n] = from < shape.samples ? in.samples_BN[item * shape.samples + from] : 0.0f;
  }
}

__global__ void segment_backward_kernel(SegmentShape shape, const int64_t* starts_B, const float* grad_BCL, float* grad_z_BCS) {
  const int64_t item = blockIdx.y;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= shape.channels * shape.time) return;
  const int64_t row = item * shape.channels + i / shape.time, in_segment = i % shape.time - starts_B[item];
  grad_z_BCS[item * shape.channels * shape.time + i] =
      in_segment >= 0 && in_segment < shape.frames ? grad_BCL[row * shape.frames + in_segment] : 0.0f;
}

const char* outcome() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

dim3 blocks_for(const SegmentShape& shape, int64_t values) {
  return {static_cast<unsigned>((values + kThreads - 1) / kThreads), static_cast<unsigned>(shape.batch), 1};
}

}  // namespace

const char* segment_cuda(const SegmentShape& shape, const SegmentInputs& in, const SegmentOutputs& out, void* stream) {
  if (shape.batch == 0) return nullptr;
  const int64_t values = shape.frames * (shape.channels + shape.mel_bins + shape.hop);
  segment_kernel<<<blocks_for(shape, values), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(shape, in, out);
  return outcome();
}

const char* segment_backward_cuda(const SegmentShape& shape, const int64_t* starts_B, const float* grad_BCL, float* grad_z_BCS,
                                  void* stream) {
  const int64_t values = shape.channels * shape.time;
  if (shape.batch * values == 0) return nullptr;
  segment_backward_kernel<<<blocks_for(shape, values), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(shape, starts_B,
                                                                                                         grad_BCL, grad_z_BCS);
  return outcome();
}

}  // namespace valetts
