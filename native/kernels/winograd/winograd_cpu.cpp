// Transforms and multiplications with channels side by side in vector lanes. A block's transformed input and products stay in
// the second-level cache; each weight is read once a block.
#include <algorithm>
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

constexpr int64_t kBlockFloats = 96 * 1024;  // of transformed input and products: below most second-level caches
constexpr int64_t kLeastRows = 36;           // for which a block reads the weights
constexpr int64_t kFewestRows = 18;          // to which a block shrinks so that every thread has one
constexpr int64_t kLineFloats = 16;

int64_t quotient_up(int64_t count, int64_t by) { return (count + by - 1) / by; }

int64_t padded(int64_t count, int64_t multiple) { return quotient_up(count, multiple) * multiple; }

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

// A filter's value at each point, the last of which is infinity, divided by the product of the point's distances from the
// others; `width` filters at once.
void at_points(int64_t points, int64_t count, const double* taps, int64_t width, double* values) {
  static constexpr double kFour[] = {0.0, 1.0, -1.0}, kSix[] = {0.0, 1.0, -1.0, 2.0, -2.0};
  static constexpr double kSeven[] = {1.0, -1.0, 2.0, -2.0, 0.5, -0.5};
  const double* at = points == 4 ? kFour : points == 6 ? kSix : kSeven;
  for (int64_t j = 0; j < points - 1; ++j) {
    double distances = 1.0;
    for (int64_t other = 0; other < points - 1; ++other) distances *= other == j ? 1.0 : at[j] - at[other];
    double* to = values + j * width;
    double power = 1.0 / distances;
    std::fill(to, to + width, 0.0);
    for (int64_t k = 0; k < count; ++k, power *= at[j]) {
      for (int64_t w = 0; w < width; ++w) to[w] += power * taps[k * width + w];
    }
  }
  std::copy(taps + (count - 1) * width, taps + count * width, values + (points - 1) * width);
}

}  // namespace

WinogradForm winograd_form(int64_t kernel) {
  if (kernel == 2) return {3, 2, 4, 1, 1, 1};
  if (kernel == 3) return {4, 3, 6, 1, 1, 1};
  if (kernel == 4) return {4, 4, 7, 1, 1, 1};
  if (kernel <= 8) return {4, 4, 7, 2, 4, 3};
  return {4, 4, 7, 3, 6, 4};
}

int64_t winograd_packed_size(WinogradVectors vectors, int64_t in, int64_t out, int64_t kernel) {
  return winograd_form(kernel).points() * in * padded(out, lanes_of(vectors));
}

// [point][columns][in][lanes of the columns]
void winograd_pack(WinogradVectors vectors, const float* weight_OIK, int64_t in, int64_t out, int64_t kernel, int64_t first_in,
                   int64_t last_in, float* packed) {
  const WinogradForm form = winograd_form(kernel);
  const int64_t out_padded = padded(out, lanes_of(vectors)), inner = form.inner_points;
  for (int64_t begin = 0; begin < out; begin += columns_at(vectors, begin, out_padded) * lanes_of(vectors)) {
    const int64_t width = columns_at(vectors, begin, out_padded) * lanes_of(vectors), served = std::min(width, out - begin);
    std::vector<double> taps(static_cast<size_t>(form.chunks * form.inner_taps * width));
    std::vector<double> chunks(static_cast<size_t>(inner * form.chunks * width));
    std::vector<double> values(static_cast<size_t>(form.points() * width));
    std::vector<double> of_chunk(static_cast<size_t>(inner * width));
    for (int64_t i = first_in; i < last_in; ++i) {
      for (int64_t o = 0; o < served; ++o) {
        const float* from = weight_OIK + ((begin + o) * in + i) * kernel;
        for (int64_t k = 0; k < kernel; ++k) taps[static_cast<size_t>(k * width + o)] = from[k];
      }
      if (form.outer_points == 1) {
        at_points(inner, form.inner_taps, taps.data(), width, values.data());
      } else {
        for (int64_t c = 0; c < form.chunks; ++c) {
          at_points(inner, form.inner_taps, taps.data() + c * form.inner_taps * width, width, of_chunk.data());
          for (int64_t j = 0; j < inner; ++j) {
            std::copy_n(of_chunk.data() + j * width, width, chunks.data() + (c * inner + j) * width);
          }
        }
        at_points(form.outer_points, form.chunks, chunks.data(), inner * width, values.data());
      }
      for (int64_t p = 0; p < form.points(); ++p) {
        float* to = packed + p * in * out_padded + begin * in + i * width;
        for (int64_t o = 0; o < width; ++o) to[o] = static_cast<float>(values[static_cast<size_t>(p * width + o)]);
      }
    }
  }
}

WinogradBlocks winograd_blocks(WinogradVectors vectors, const WinogradConvolution& conv, const WinogradSpan& span,
                               int64_t threads) {
  const WinogradForm form = winograd_form(conv.kernel);
  const int64_t lanes = lanes_of(vectors), in = padded(conv.in, lanes), out = padded(conv.out, lanes);
  WinogradBlocks blocks{span, 0, 0, 0, 1, out, 0, 0};
  blocks.phase_groups = quotient_up(quotient_up(span.time, conv.dilation), form.group_samples());
  blocks.groups = span.batch * conv.dilation * blocks.phase_groups;
  const int64_t most = std::max(kLeastRows, kBlockFloats / (form.points() * (in + out)));
  int64_t count = quotient_up(blocks.groups, most);
  const int64_t shared = padded(count, threads);
  if (blocks.groups / shared >= kFewestRows) {
    count = shared;
  } else if (count < threads) {
    // Fewer rows would have every thread wait for all weights; so it takes a part of them.
    const int64_t panel = columns_at(vectors, 0, out) * lanes;
    blocks.part_channels = padded(quotient_up(out, quotient_up(threads, count)), panel);
    blocks.parts = quotient_up(out, blocks.part_channels);
  }
  blocks.block_groups = quotient_up(blocks.groups, count);
  blocks.count = quotient_up(blocks.groups, blocks.block_groups) * blocks.parts;
  blocks.work_size = form.points() * (point_stride(blocks.block_groups, in) + point_stride(blocks.block_groups, out));
  return blocks;
}

void winograd_block([[maybe_unused]] WinogradVectors vectors, [[maybe_unused]] const WinogradConvolution& conv,
                    [[maybe_unused]] const WinogradFusion& fusion, [[maybe_unused]] const WinogradBlocks& blocks,
                    [[maybe_unused]] int64_t number, [[maybe_unused]] const float* x_BTC, [[maybe_unused]] float* y_BTC,
                    [[maybe_unused]] float* work) {
#if VT_HAS_VECTORS
  if (vectors == WinogradVectors::kAvx512) return avx512::block(conv, fusion, blocks, number, x_BTC, y_BTC, work);
  if (vectors == WinogradVectors::kAvx2) return avx2::block(conv, fusion, blocks, number, x_BTC, y_BTC, work);
#endif
}

}  // namespace valetts
