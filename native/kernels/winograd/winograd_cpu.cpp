// Transforms and multiplications with channels side by side in vector lanes. A block's transformed input and products stay in
// the second-level cache; each weight is read once a block.
#include <algorithm>
#include <cmath>
#include <vector>

#include "winograd/winograd_raw.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define VT_HAS_VECTORS 1
#else
#define VT_HAS_VECTORS 0
#endif

namespace valetts {
namespace {

constexpr int64_t kOuterPoints = 4;
constexpr int64_t kBlockFloats = 96 * 1024;  // of transformed input and products: below most second-level caches
constexpr int64_t kLeastRows = 36;           // for which a block reads the weights
constexpr int64_t kRowsMultiple = 12;        // of the multiplications' tiles
constexpr int64_t kLineFloats = 16;

int64_t padded(int64_t count, int64_t multiple) { return (count + multiple - 1) / multiple * multiple; }

// A line more than the values, so that the same value of all points does not fall into one set of the cache.
int64_t point_stride(int64_t rows, int64_t channels) { return padded(rows * channels, kLineFloats) + kLineFloats; }

int64_t lanes_of(WinogradVectors vectors) { return vectors == WinogradVectors::kAvx512 ? 16 : 8; }

// Vectors of output channels that are multiplied together, from channel `begin` on.
int64_t columns_at(WinogradVectors vectors, int64_t begin, int64_t out_padded) {
  const int64_t rest = (out_padded - begin) / lanes_of(vectors);
  if (vectors == WinogradVectors::kAvx512 && rest >= 4) return 4;
  return rest >= 2 ? 2 : 1;
}

#if VT_HAS_VECTORS

namespace avx2 {
#define VT_LANES inline __attribute__((always_inline, target("avx2,fma")))
#define VT_LANES_CALL __attribute__((noinline, target("avx2,fma")))
using Vec = __m256;
constexpr int64_t kLanes = 8;
constexpr int kRegisters = 16;
VT_LANES Vec zero() { return _mm256_setzero_ps(); }
VT_LANES Vec all(float x) { return _mm256_set1_ps(x); }
VT_LANES Vec load(const float* x) { return _mm256_loadu_ps(x); }
VT_LANES void store(float* y, Vec x) { _mm256_storeu_ps(y, x); }
VT_LANES __m256i first_lanes(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
VT_LANES Vec load_first(const float* x, int64_t count) { return _mm256_maskload_ps(x, first_lanes(count)); }
VT_LANES void store_first(float* y, int64_t count, Vec x) { _mm256_maskstore_ps(y, first_lanes(count), x); }
VT_LANES Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
VT_LANES Vec subtract(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
VT_LANES Vec multiply(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
VT_LANES Vec larger(Vec a, Vec b) { return _mm256_max_ps(a, b); }
VT_LANES Vec fused(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
VT_LANES Vec negated_fused(Vec a, Vec b, Vec c) { return _mm256_fnmadd_ps(a, b, c); }
#include "winograd/winograd_lanes.h"
#undef VT_LANES
#undef VT_LANES_CALL
}  // namespace avx2

namespace avx512 {
#define VT_LANES inline __attribute__((always_inline, target("avx512f,avx512vl,avx512bw,avx512dq,fma")))
#define VT_LANES_CALL __attribute__((noinline, target("avx512f,avx512vl,avx512bw,avx512dq,fma")))
using Vec = __m512;
constexpr int64_t kLanes = 16;
constexpr int kRegisters = 32;
VT_LANES Vec zero() { return _mm512_setzero_ps(); }
VT_LANES Vec all(float x) { return _mm512_set1_ps(x); }
VT_LANES Vec load(const float* x) { return _mm512_loadu_ps(x); }
VT_LANES void store(float* y, Vec x) { _mm512_storeu_ps(y, x); }
VT_LANES __mmask16 first_lanes(int64_t count) { return static_cast<__mmask16>((1u << count) - 1u); }
VT_LANES Vec load_first(const float* x, int64_t count) { return _mm512_maskz_loadu_ps(first_lanes(count), x); }
VT_LANES void store_first(float* y, int64_t count, Vec x) { _mm512_mask_storeu_ps(y, first_lanes(count), x); }
VT_LANES Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
VT_LANES Vec subtract(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
VT_LANES Vec multiply(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
VT_LANES Vec larger(Vec a, Vec b) { return _mm512_maskz_max_ps(0xFFFF, a, b); }
VT_LANES Vec fused(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
VT_LANES Vec negated_fused(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a, b, c); }
#include "winograd/winograd_lanes.h"
#undef VT_LANES
#undef VT_LANES_CALL
}  // namespace avx512

#endif

// The filter's value at each inner point, divided by the product of the point's distances from the others.
void inner_transform(const WinogradForm& form, const double* taps, double* points) {
  static constexpr double kSix[] = {0.0, 1.0, -1.0, 2.0, -2.0}, kSeven[] = {1.0, -1.0, 2.0, -2.0, 0.5, -0.5};
  const double* at = form.inner_points == 6 ? kSix : kSeven;
  const int64_t finite = form.inner_points - 1;
  for (int64_t j = 0; j < finite; ++j) {
    double value = 0.0, distances = 1.0;
    for (int64_t k = form.inner_taps - 1; k >= 0; --k) value = value * at[j] + taps[k];
    for (int64_t other = 0; other < finite; ++other) distances *= other == j ? 1.0 : at[j] - at[other];
    points[j] = value / distances;
  }
  points[finite] = taps[form.inner_taps - 1];
}

}  // namespace

WinogradForm winograd_form(int64_t kernel) {
  if (kernel <= 3) return {3, 6, 1, 1};
  if (kernel == 4) return {4, 7, 1, 1};
  if (kernel <= 8) return {4, 7, kOuterPoints, 3};
  return {4, 7, kOuterPoints, 2};
}

int64_t winograd_packed_size(WinogradVectors vectors, int64_t in, int64_t out, int64_t kernel) {
  return winograd_form(kernel).points() * in * padded(out, lanes_of(vectors));
}

// [point][columns][in][lanes of the columns]
void winograd_pack(WinogradVectors vectors, const float* weight_OIK, int64_t in, int64_t out, int64_t kernel, float* packed) {
  const WinogradForm form = winograd_form(kernel);
  const int64_t lanes = lanes_of(vectors), out_padded = padded(out, lanes), chunks = 5 - form.group_tiles;
  std::fill(packed, packed + winograd_packed_size(vectors, in, out, kernel), 0.0f);
  for (int64_t begin = 0; begin < out; begin += columns_at(vectors, begin, out_padded) * lanes) {
    const int64_t width = columns_at(vectors, begin, out_padded) * lanes;
    for (int64_t o = begin; o < std::min(out, begin + width); ++o) {
      for (int64_t i = 0; i < in; ++i) {
        double taps[kWinogradMaxKernel] = {}, at[3][7] = {};
        for (int64_t k = 0; k < kernel; ++k) taps[k] = weight_OIK[(o * in + i) * kernel + k];
        float* to = packed + begin * in + i * width + (o - begin);
        const auto put = [&](int64_t point, double value) { to[point * in * out_padded] = static_cast<float>(value); };
        if (form.outer_points == 1) {
          inner_transform(form, taps, at[0]);
          for (int64_t j = 0; j < form.inner_points; ++j) put(j, at[0][j]);
          continue;
        }
        for (int64_t c = 0; c < chunks; ++c) inner_transform(form, taps + 4 * c, at[c]);
        for (int64_t j = 0; j < form.inner_points; ++j) {
          // Over the chunks: the points 0, 1, -1, infinity.
          const double even = at[0][j] + at[2][j], odd = at[1][j];
          put(j, -at[0][j]);
          put(form.inner_points + j, (even + odd) / 2.0);
          put(2 * form.inner_points + j, (even - odd) / 2.0);
          put(3 * form.inner_points + j, at[chunks - 1][j]);
        }
      }
    }
  }
}

WinogradBlocks winograd_blocks(WinogradVectors vectors, const WinogradConvolution& conv, const WinogradSpan& span) {
  const WinogradForm form = winograd_form(conv.kernel);
  const int64_t lanes = lanes_of(vectors), in = padded(conv.in, lanes), out = padded(conv.out, lanes);
  WinogradBlocks blocks{span, 0, 0, 0, 0, 0};
  const int64_t phase_samples = (span.time + conv.dilation - 1) / conv.dilation;
  blocks.phase_groups = (phase_samples + form.group_samples() - 1) / form.group_samples();
  blocks.groups = span.batch * conv.dilation * blocks.phase_groups;
  const int64_t fitting = kBlockFloats / (form.points() * (in + out)) / kRowsMultiple * kRowsMultiple;
  blocks.block_groups = std::max(kLeastRows, fitting);
  blocks.count = (blocks.groups + blocks.block_groups - 1) / blocks.block_groups;
  blocks.work_size = form.points() * (point_stride(blocks.block_groups, in) + point_stride(blocks.block_groups, out));
  return blocks;
}

void winograd_block(WinogradVectors vectors, const WinogradConvolution& conv, const WinogradFusion& fusion,
                    const WinogradBlocks& blocks, int64_t number, const float* x_BTC, float* y_BTC, float* work) {
#if VT_HAS_VECTORS
  if (vectors == WinogradVectors::kAvx512) return avx512::block(conv, fusion, blocks, number, x_BTC, y_BTC, work);
  if (vectors == WinogradVectors::kAvx2) return avx2::block(conv, fusion, blocks, number, x_BTC, y_BTC, work);
#endif
}

}  // namespace valetts
