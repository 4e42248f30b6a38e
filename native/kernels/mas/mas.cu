// Alignment search on the GPU: one block an item. The threads share the tokens of a frame, two rows of Q live in shared
// memory, and one thread walks back. Only additions and comparisons in the order of the plain loops: the same bits.
#include <cuda_runtime.h>

#include "mas/mas_raw.h"

namespace valetts {
namespace {

constexpr int kThreads = 256;

__global__ void mas_kernel(const float* score_BST, const int32_t* text_len_B, const int32_t* frame_len_B, int64_t frames,
                           int64_t tokens, uint8_t* moves_BST, int32_t* durations_BT) {
  extern __shared__ float rows[];
  const int64_t item = blockIdx.x;
  const int32_t text_len = text_len_B[item];
  const int32_t frame_len = frame_len_B[item];
  const float* score_ST = score_BST + item * frames * tokens;
  uint8_t* moves_ST = moves_BST + item * frames * tokens;
  int32_t* durations_T = durations_BT + item * tokens;

  for (int32_t cell = threadIdx.x; cell < 2 * (text_len + 1); cell += blockDim.x) {
    rows[cell] = kMasMinusInfinity;
  }
  for (int64_t t = threadIdx.x; t < tokens; t += blockDim.x) {
    durations_T[t] = 0;
  }
  __syncthreads();
  float* before = rows + 1;
  float* now = before + text_len + 1;
  if (threadIdx.x == 0) {
    now[0] = score_ST[0] + 0.0f;
  }
  __syncthreads();
  for (int32_t s = 1; s < frame_len; ++s) {
    float* swapped = before;
    before = now;
    now = swapped;
    const int32_t first = max(0, text_len + s - frame_len);
    const int32_t last = min(text_len, s + 1);
    for (int32_t t = first + static_cast<int32_t>(threadIdx.x); t < last; t += static_cast<int32_t>(blockDim.x)) {
      const float stay = before[t];
      const float move = before[t - 1];
      const bool moves = stay < move;
      moves_ST[s * tokens + t] = moves;
      now[t] = score_ST[s * tokens + t] + (moves ? move : stay);
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    int32_t t = text_len - 1;
    int32_t duration = 0;
    for (int32_t s = frame_len - 1; s >= 0; --s) {
      ++duration;
      if (t != 0 && (t == s || moves_ST[s * tokens + t] != 0)) {
        durations_T[t] = duration;
        duration = 0;
        --t;
      }
    }
    durations_T[t] = duration;
  }
}

}  // namespace

const char* mas_cuda(const float* score_BST, const int32_t* text_len_B, const int32_t* frame_len_B, int64_t batch,
                     int64_t frames, int64_t tokens, uint8_t* moves_BST, int32_t* durations_BT, void* stream) {
  if (batch == 0) {
    return nullptr;
  }
  if (tokens > kMasCudaMaxTokens) {
    return "more than 4096 tokens in one utterance; shorten the text";
  }
  if (frames < 1 || tokens < 1) {
    return "a score without frames or tokens";
  }
  const size_t shared_bytes = 2 * (static_cast<size_t>(tokens) + 1) * sizeof(float);
  mas_kernel<<<static_cast<unsigned>(batch), kThreads, shared_bytes, static_cast<cudaStream_t>(stream)>>>(
      score_BST, text_len_B, frame_len_B, frames, tokens, moves_BST, durations_BT);
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace valetts
