// The convolution of winograd.h on raw pointers. x and y are [time, channels] with channels innermost.
#pragma once

#include <cstdint>

namespace valetts {

// More than four taps are taken in chunks of four; a group is what one run of the transforms makes.
struct WinogradForm {
  int64_t tile_samples;  // m of F(m, r)
  int64_t inner_taps;    // r, of a chunk
  int64_t inner_points;  // m + r - 1
  int64_t chunks;
  int64_t outer_points;  // of the filter over chunks; 1 where there is one chunk
  int64_t group_tiles;
  int64_t points() const { return inner_points * outer_points; }
  int64_t group_samples() const { return tile_samples * group_tiles; }
};

inline constexpr int64_t kWinogradMinKernel = 2;
inline constexpr int64_t kWinogradMaxKernel = 12;

WinogradForm winograd_form(int64_t kernel);

// What is fused: x -> max(x, input_slope x) before, and after it
//   v = scale (convolution + bias + residual + sum),  y = max(v, output_slope v)
// residual and sum may be absent (null), and may be y itself; x may not.
struct WinogradFusion {
  float input_slope = 1.0f;
  const float* residual = nullptr;
  const float* sum = nullptr;
  float scale = 1.0f;
  float output_slope = 1.0f;
};

struct WinogradConvolution {
  int64_t in, out, kernel, dilation;
  int64_t padding;       // samples before the first output that the first tap reaches
  const float* weights;  // winograd_pack's
  const float* bias;     // [out], or null
};

// Which instructions a call runs with; each needs those before it.
enum class WinogradVectors { kNone, kAvx2, kAvx512 };

// What this processor has.
WinogradVectors winograd_vectors();

// weight_OIK transformed, in the order in which the multiplications of `vectors` take it; the input channels from `first_in`
// to before `last_in`.
int64_t winograd_packed_size(WinogradVectors vectors, int64_t in, int64_t out, int64_t kernel);
void winograd_pack(WinogradVectors vectors, const float* weight_OIK, int64_t in, int64_t out, int64_t kernel,
                   int64_t first_in, int64_t last_in, float* packed);

// What is asked for: `time` samples of y for each of `batch` signals. x may have samples `before` the first and `after` the last
// of them, then of one signal; beyond those it is zero.
struct WinogradSpan {
  int64_t batch, time;
  int64_t before = 0, after = 0;
  int64_t y_stride = 0;  // from one sample of y, the residual and the sum to the next, where it is not `out`
};

// Its division into blocks that can be computed in any order and at the same time, at least one for each of `threads` where
// there is enough for them. The division changes no bit of y.
struct WinogradBlocks {
  WinogradSpan span;
  int64_t phase_groups;  // of one signal's samples that lie a dilation apart
  int64_t groups;        // of all
  int64_t block_groups;
  int64_t parts;          // of the output channels, which have blocks of their own
  int64_t part_channels;
  int64_t count;      // of blocks
  int64_t work_size;  // floats that a block needs as working space, aligned to 64 bytes
};
WinogradBlocks winograd_blocks(WinogradVectors vectors, const WinogradConvolution& convolution, const WinogradSpan& span,
                               int64_t threads);

// The samples of one block. x_BTC is where x stands beside y's first sample.
void winograd_block(WinogradVectors vectors, const WinogradConvolution& convolution, const WinogradFusion& fusion,
                    const WinogradBlocks& blocks, int64_t block, const float* x_BTC, float* y_BTC, float* work);

// The same in plain loops with the weights as they are, all samples.
void winograd_convolution(const WinogradConvolution& convolution, const float* weight_OIK, const WinogradFusion& fusion,
                          const WinogradSpan& span, const float* x_BTC, float* y_BTC);

}  // namespace valetts
