// Alignment search on the GPU: one block an item, a column of tokens a warp, Q in registers, the left neighbour by shuffle.
//
// A warp's lane holds the tokens lane, lane + 32, ... of its column, so that a row is read in one piece and the directions
// of 32 tokens are one ballot: a bit a cell, in shared memory if they fit. Column w works one chunk of frames behind column
// w - 1 and takes the values at the border from it, so the block meets once a chunk and not once a frame; the scores of the
// next chunk are on their way while one is worked on. The first warp walks back over 32 frames at a time.
//
// Only additions and comparisons in the order of the plain loops: the same bits. Cells left of the band hold values that
// nothing in the band reads.
#include <cuda_runtime.h>

#include "mas/mas_raw.h"

namespace valetts {
namespace {

constexpr unsigned kAllLanes = 0xFFFFFFFFu;
constexpr int kWarp = 32;
constexpr int kMostWarps = 16;

// kCells: tokens of a lane. kChunk: frames between two meetings of the block, at most a warp's lanes.
template <int kCells, int kChunk, int kThreads>
__global__ void __launch_bounds__(kThreads)
    mas_kernel(const float* __restrict__ score_BST, const int32_t* __restrict__ text_len_B,
               const int32_t* __restrict__ frame_len_B, int frames, int tokens, int words, uint32_t* moves_BSW,
               int32_t* __restrict__ durations_BT) {
  extern __shared__ uint32_t shared_moves_SW[];
  __shared__ float border[2][kMostWarps][kChunk];  // [parity of the phase][column][frame]: Q at the column's last token
  const int64_t item = blockIdx.x;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  // Lengths out of range give durations without meaning, never an access out of bounds.
  const int text_len = min(max(text_len_B[item], 1), tokens);
  const int frame_len = min(max(frame_len_B[item], 1), frames);
  const float* score_ST = score_BST + item * frames * tokens;
  uint32_t* moves_SW = moves_BSW == nullptr ? shared_moves_SW : moves_BSW + item * frames * words;
  int32_t* durations_T = durations_BT + item * tokens;
  for (int t = static_cast<int>(threadIdx.x); t < tokens; t += static_cast<int>(blockDim.x)) {
    durations_T[t] = 0;
  }

  const int column = warp * kWarp * kCells;
  const auto load = [&](int chunk, float(&to)[kChunk][kCells]) {
    const int first_frame = chunk * kChunk;
    const bool in_band = chunk >= 0 && first_frame < frame_len && column <= first_frame + kChunk - 1 &&
                         column + kWarp * kCells > text_len + first_frame - frame_len;
#pragma unroll
    for (int r = 0; r < kChunk; ++r) {
#pragma unroll
      for (int j = 0; j < kCells; ++j) {
        const int t = column + j * kWarp + lane;
        const int s = first_frame + r;
        to[r][j] = in_band && s < frame_len && t < text_len ? score_ST[static_cast<int64_t>(s) * tokens + t] : 0.0f;
      }
    }
  };

  float q[kCells];
#pragma unroll
  for (int j = 0; j < kCells; ++j) {
    q[j] = kMasMinusInfinity;
  }
  float left_before = kMasMinusInfinity;  // Q left of the column, at the last frame of the chunk before
  float score[kChunk][kCells];
  float coming[kChunk][kCells];
  load(-warp, score);
  const int chunks = (frame_len + kChunk - 1) / kChunk;
  const int phases = chunks + warps - 1;
  for (int phase = 0; phase < phases; ++phase) {
    const int chunk = phase - warp;
    load(chunk + 1, coming);
    if (chunk >= 0 && chunk < chunks) {
      const float left = warp > 0 && lane < kChunk ? border[(phase + 1) % 2][warp - 1][lane] : kMasMinusInfinity;
#pragma unroll
      for (int r = 0; r < kChunk; ++r) {
        const int s = chunk * kChunk + r;
        if (s < frame_len) {
          const float left_of_column = r == 0 ? left_before : __shfl_sync(kAllLanes, left, r - 1);
          float turned[kCells];  // of lane - 1; lane 0 gets lane 31's, which is left of its next cell
#pragma unroll
          for (int j = 0; j < kCells; ++j) {
            turned[j] = __shfl_sync(kAllLanes, q[j], (lane + kWarp - 1) % kWarp);
          }
          uint32_t word = 0;
#pragma unroll
          for (int j = 0; j < kCells; ++j) {
            const int t = column + j * kWarp + lane;
            const float stay = q[j];
            const float move = lane > 0 ? turned[j] : j == 0 ? left_of_column : turned[j == 0 ? 0 : j - 1];
            const bool moves = stay < move;
            const uint32_t ballot = __ballot_sync(kAllLanes, moves);
            word = lane == j ? ballot : word;
            const float best = s == 0 ? 0.0f : moves ? move : stay;
            q[j] = t <= s ? score[r][j] + best : kMasMinusInfinity;
          }
          if (lane < kCells) {
            moves_SW[static_cast<int64_t>(s) * words + warp * kCells + lane] = word;
          }
          if (lane == kWarp - 1) {
            border[phase % 2][warp][r] = q[kCells - 1];
          }
        }
      }
      left_before = __shfl_sync(kAllLanes, left, kChunk - 1);
    }
#pragma unroll
    for (int r = 0; r < kChunk; ++r) {
#pragma unroll
      for (int j = 0; j < kCells; ++j) {
        score[r][j] = coming[r][j];
      }
    }
    __syncthreads();
  }
  if (warp != 0) {
    return;
  }

  int t = text_len - 1;
  int32_t duration = 0;
  for (int top = frame_len - 1; top >= 0; top -= kWarp) {
    // In 32 frames the path falls by 32 tokens at most: two words of each frame hold its directions.
    const int base = max(t / kWarp - 1, 0);
    uint32_t low = 0;
    uint32_t high = 0;
    if (top - lane >= 0) {
      const uint32_t* moves_W = moves_SW + static_cast<int64_t>(top - lane) * words + base;
      low = moves_W[0];
      high = base + 1 < words ? moves_W[1] : 0;
    }
    const int rows = min(kWarp, top + 1);
#pragma unroll 8
    for (int i = 0; i < rows; ++i) {
      const uint32_t low_here = __shfl_sync(kAllLanes, low, i);
      const uint32_t high_here = __shfl_sync(kAllLanes, high, i);
      const uint32_t word = t < (base + 1) * kWarp ? low_here : high_here;
      ++duration;
      if (t != 0 && (t == top - i || ((word >> (t % kWarp)) & 1u) != 0)) {
        if (lane == 0) {
          durations_T[t] = duration;
        }
        duration = 0;
        --t;
      }
    }
  }
  if (lane == 0) {
    durations_T[t] = duration;
  }
}

struct Shape {
  int cells;
  int warps;
};

Shape shape_of(int64_t tokens) {
  const int cells = tokens <= 256 ? 2 : tokens <= 1024 ? 4 : 8;
  return {cells, static_cast<int>((tokens + cells * kWarp - 1) / (cells * kWarp))};
}

int64_t moves_bytes(int64_t frames, int64_t tokens) {
  const Shape shape = shape_of(tokens);
  return frames * shape.cells * shape.warps * static_cast<int64_t>(sizeof(uint32_t));
}

// The most shared memory that a block can ask for beside what the kernel declares, or 0 if that is not to be learnt.
int64_t shared_memory_limit() {
  constexpr int64_t kDeclared = 4096;
  int device = 0;
  int bytes = 0;
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) != cudaSuccess) {
    return 0;
  }
  return bytes > kDeclared ? bytes - kDeclared : 0;
}

template <int kCells, int kChunk, int kThreads>
cudaError_t launch(const float* score_BST, const int32_t* text_len_B, const int32_t* frame_len_B, int64_t batch,
                   int64_t frames, int64_t tokens, uint32_t* moves, int32_t* durations_BT, cudaStream_t stream) {
  const Shape shape = shape_of(tokens);
  const int64_t shared_bytes = moves == nullptr ? moves_bytes(frames, tokens) : 0;
  const auto kernel = mas_kernel<kCells, kChunk, kThreads>;
  constexpr int64_t kWithoutAsking = 40 * 1024;
  if (shared_bytes > kWithoutAsking) {
    const cudaError_t error =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
    if (error != cudaSuccess) {
      return error;
    }
  }
  kernel<<<static_cast<unsigned>(batch), static_cast<unsigned>(shape.warps * kWarp), static_cast<size_t>(shared_bytes),
           stream>>>(score_BST, text_len_B, frame_len_B, static_cast<int>(frames), static_cast<int>(tokens),
                     shape.cells * shape.warps, moves, durations_BT);
  return cudaGetLastError();
}

}  // namespace

int64_t mas_cuda_scratch_bytes(int64_t batch, int64_t frames, int64_t tokens) {
  const int64_t bytes = moves_bytes(frames, tokens);
  return bytes <= shared_memory_limit() ? 0 : batch * bytes;
}

const char* mas_cuda(const float* score_BST, const int32_t* text_len_B, const int32_t* frame_len_B, int64_t batch,
                     int64_t frames, int64_t tokens, void* scratch, int32_t* durations_BT, void* stream) {
  if (batch == 0) {
    return nullptr;
  }
  if (tokens > kMasCudaMaxTokens) {
    return "more than 4096 tokens in one utterance; shorten the text";
  }
  if (frames < 1 || tokens < 1) {
    return "a score without frames or tokens";
  }
  auto* moves = static_cast<uint32_t*>(scratch);
  if (moves == nullptr && mas_cuda_scratch_bytes(batch, frames, tokens) > 0) {
    return "the directions do not fit into shared memory, and no scratch memory was given";
  }
  const auto on_stream = static_cast<cudaStream_t>(stream);
  const int cells = shape_of(tokens).cells;
  const cudaError_t error = cells == 2 ? launch<2, 16, 128>(score_BST, text_len_B, frame_len_B, batch, frames, tokens,
                                                            moves, durations_BT, on_stream)
                            : cells == 4 ? launch<4, 16, 256>(score_BST, text_len_B, frame_len_B, batch, frames, tokens,
                                                              moves, durations_BT, on_stream)
                                         : launch<8, 4, 512>(score_BST, text_len_B, frame_len_B, batch, frames, tokens,
                                                             moves, durations_BT, on_stream);
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace valetts
