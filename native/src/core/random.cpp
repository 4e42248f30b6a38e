// The layout of a row of draws: values are made in blocks of 8 counters, and word w of counter i becomes value 8 w + i
// of the block, so that a vector of counters is stored as it is computed. Which counter a value comes from depends on
// its time alone.
//
// Two versions of the rounds, AVX2 and plain, give the same bits; so does the arithmetic after them, because this file is
// compiled without contraction to fused multiply-adds.
#include "core/random.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "core/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define VT_HAS_AVX2_VARIANT 1
#else
#define VT_HAS_AVX2_VARIANT 0
#endif

#define VT_INLINE inline __attribute__((always_inline))

// The body of fill_row_plain and fill_row_avx2. A macro, because a function cannot be inlined first into a template that
// lacks the instruction set and then into one that has it.
#define VT_FILL_ROW(make_words)                                                        \
  alignas(32) uint32_t words[kBlock];                                                  \
  alignas(32) float last[Values::kValues];                                             \
  int64_t t = 0;                                                                       \
  uint32_t counter = 0;                                                                \
  for (; t + Values::kValues <= time; t += Values::kValues, counter += kLanes) {       \
    make_words(row, counter, words);                                                   \
    values(words, out + t);                                                            \
  }                                                                                    \
  if (t < time) {                                                                      \
    make_words(row, counter, words);                                                   \
    values(words, last);                                                               \
    for (int64_t i = 0; t + i < time; ++i) {                                           \
      out[t + i] = last[i];                                                            \
    }                                                                                  \
  }

namespace valetts {
namespace {

constexpr uint32_t kMultiplier0 = 0xD2511F53u;
constexpr uint32_t kMultiplier1 = 0xCD9E8D57u;
constexpr uint32_t kWeyl0 = 0x9E3779B9u;
constexpr uint32_t kWeyl1 = 0xBB67AE85u;
constexpr int kRounds = 10;
constexpr int kLanes = 8;
constexpr int kBlock = 4 * kLanes;  // 32-bit words
constexpr int64_t kMaxStream = int64_t{1} << 12;
constexpr int64_t kMaxChannels = int64_t{1} << 20;
constexpr int64_t kMaxTime = int64_t{1} << 34;

uint64_t mixed(uint64_t value) {  // splitmix64's finaliser
  value += 0x9E3779B97F4A7C15ull;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ull;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBull;
  return value ^ (value >> 31);
}

struct Row {
  uint32_t counter1, counter2, counter3;
  uint32_t key0, key1;
};

void words_plain(const Row& row, uint32_t first, uint32_t* out) {
  for (int i = 0; i < kLanes; ++i) {
    const auto block = philox4x32({first + static_cast<uint32_t>(i), row.counter1, row.counter2, row.counter3},
                                  {row.key0, row.key1});
    for (int w = 0; w < 4; ++w) {
      out[kLanes * w + i] = block[w];
    }
  }
}

#if VT_HAS_AVX2_VARIANT
// Each 64-bit lane carries one counter's word in its low half; the high half is whatever the products left there,
// which _mm256_mul_epu32 ignores. Even and odd counters go through side by side.
__attribute__((target("avx2"))) inline void words_avx2(const Row& row, uint32_t first, uint32_t* out) {
  const __m256i m0 = _mm256_set1_epi64x(kMultiplier0);
  const __m256i m1 = _mm256_set1_epi64x(kMultiplier1);
  const __m256i base = _mm256_set1_epi64x(first);
  __m256i a0 = _mm256_add_epi32(base, _mm256_set_epi64x(6, 4, 2, 0));
  __m256i b0 = _mm256_add_epi32(base, _mm256_set_epi64x(7, 5, 3, 1));
  __m256i a1 = _mm256_set1_epi64x(row.counter1), b1 = a1;
  __m256i a2 = _mm256_set1_epi64x(row.counter2), b2 = a2;
  __m256i a3 = _mm256_set1_epi64x(row.counter3), b3 = a3;
  uint32_t key0 = row.key0, key1 = row.key1;
  for (int round = 0; round < kRounds; ++round) {
    const __m256i k0 = _mm256_set1_epi64x(key0);
    const __m256i k1 = _mm256_set1_epi64x(key1);
    const __m256i ap0 = _mm256_mul_epu32(a0, m0), ap1 = _mm256_mul_epu32(a2, m1);
    const __m256i bp0 = _mm256_mul_epu32(b0, m0), bp1 = _mm256_mul_epu32(b2, m1);
    a0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(ap1, 32), a1), k0);
    b0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(bp1, 32), b1), k0);
    a2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(ap0, 32), a3), k1);
    b2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(bp0, 32), b3), k1);
    a1 = ap1;
    b1 = bp1;
    a3 = ap0;
    b3 = bp0;
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  auto* to = reinterpret_cast<__m256i*>(out);
  _mm256_storeu_si256(to + 0, _mm256_blend_epi32(a0, _mm256_slli_epi64(b0, 32), 0xAA));
  _mm256_storeu_si256(to + 1, _mm256_blend_epi32(a1, _mm256_slli_epi64(b1, 32), 0xAA));
  _mm256_storeu_si256(to + 2, _mm256_blend_epi32(a2, _mm256_slli_epi64(b2, 32), 0xAA));
  _mm256_storeu_si256(to + 3, _mm256_blend_epi32(a3, _mm256_slli_epi64(b3, 32), 0xAA));
}
#endif

// Words to values. kValues is the number of values that one block gives.
struct Uniform {
  static constexpr int kValues = kBlock;
  VT_INLINE void operator()(const uint32_t* words, float* out) const {
    for (int i = 0; i < kBlock; ++i) {
      out[i] = static_cast<float>(static_cast<int32_t>(words[i] >> 8)) * 0x1p-24f;
    }
  }
};

struct Normal {
  static constexpr int kValues = kBlock;

  // sqrt(-2 ln u), u = (word + 1/2) / 2^32 to float precision. Polynomials: Cephes logf.
  static VT_INLINE float radius(uint32_t word) {
    const float u = static_cast<float>(static_cast<int32_t>(word >> 1)) * 0x1p-31f + 0x1p-32f;
    const auto bits = std::bit_cast<int32_t>(u);
    int32_t exponent = (bits >> 23) - 126;
    float m = std::bit_cast<float>((bits & 0x007FFFFF) | 0x3F000000);  // [0.5, 1)
    const bool low = m < 0.707106781186547524f;
    exponent = low ? exponent - 1 : exponent;
    m = low ? m + m : m;
    const float f = m - 1.0f;
    const float z = f * f;
    float p = 7.0376836292e-2f;
    p = p * f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    const auto e = static_cast<float>(exponent);
    float ln = f * z * p + e * -2.12194440e-4f;
    ln = ln - 0.5f * z;
    ln = f + ln + e * 0.693359375f;
    const float doubled = -2.0f * ln;
    return std::sqrt(doubled > 0.0f ? doubled : 0.0f);
  }

  VT_INLINE void operator()(const uint32_t* words, float* out) const {
    for (int pair = 0; pair < 2; ++pair) {
      for (int i = 0; i < kLanes; ++i) {
        const float r = radius(words[2 * kLanes * pair + i]);
        const uint32_t turn = words[2 * kLanes * pair + kLanes + i];  // 2^32 a full turn
        const uint32_t quadrant = (turn + 0x20000000u) >> 30;
        const auto rest = static_cast<int32_t>(turn - (quadrant << 30));
        const float a = static_cast<float>(rest) * 1.46291807926715968e-9f;  // 2 pi / 2^32; |a| <= pi / 4
        const float z = a * a;
        const float s = a + a * z * (-1.6666654611e-1f + z * (8.3321608736e-3f + z * -1.9515295891e-4f));
        const float c = 1.0f - 0.5f * z +
                        z * z * (4.166664568298827e-2f + z * (-1.388731625493765e-3f + z * 2.443315711809948e-5f));
        const bool odd = (quadrant & 1u) != 0;
        const float cosine = odd ? s : c;
        const float sine = odd ? c : s;
        const uint32_t cosine_sign = ((quadrant + 1u) & 2u) << 30;
        const uint32_t sine_sign = (quadrant & 2u) << 30;
        out[2 * kLanes * pair + i] = r * std::bit_cast<float>(std::bit_cast<uint32_t>(cosine) ^ cosine_sign);
        out[2 * kLanes * pair + kLanes + i] = r * std::bit_cast<float>(std::bit_cast<uint32_t>(sine) ^ sine_sign);
      }
    }
  }
};

struct KeepMask {  // two values a word
  static constexpr int kValues = 2 * kBlock;
  int32_t threshold;
  int32_t scale_bits;
  VT_INLINE void operator()(const uint32_t* words, float* out) const {
    // Whole registers of integers: a conditional on floats is not vectorised here.
    int32_t bits[kValues];
    for (int w = 0; w < 4; ++w) {
      for (int i = 0; i < kLanes; ++i) {
        const auto half = static_cast<int32_t>(words[kLanes * w + i] & 0xFFFFu);
        bits[2 * kLanes * w + i] = -static_cast<int32_t>(half >= threshold) & scale_bits;
      }
      for (int i = 0; i < kLanes; ++i) {
        const auto half = static_cast<int32_t>(words[kLanes * w + i] >> 16);
        bits[2 * kLanes * w + kLanes + i] = -static_cast<int32_t>(half >= threshold) & scale_bits;
      }
    }
    std::memcpy(out, bits, sizeof(bits));
  }
};

template <typename Values>
void fill_row_plain(const Row& row, const Values& values, int64_t time, float* out) {
  VT_FILL_ROW(words_plain)
}

#if VT_HAS_AVX2_VARIANT
template <typename Values>
__attribute__((target("avx2"))) void fill_row_avx2(const Row& row, const Values& values, int64_t time, float* out) {
  VT_FILL_ROW(words_avx2)
}

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

template <typename Values>
at::Tensor draw_BCT(const std::array<uint32_t, 2>& key, uint32_t stream, const std::vector<int64_t>& utterance_ids,
                    int64_t channels, int64_t time, const Values& values) {
  VT_CHECK_ARG(stream < kMaxStream, "random stream ", stream, " is out of range, below ", kMaxStream, " expected");
  VT_CHECK_ARG(channels >= 0 && channels <= kMaxChannels, "random draw of ", channels, " channels, at most ",
               kMaxChannels, " expected");
  VT_CHECK_ARG(time >= 0 && time <= kMaxTime, "random draw of ", time, " values a channel, at most ", kMaxTime,
               " expected");
  const auto batch = static_cast<int64_t>(utterance_ids.size());
  at::Tensor out_BCT = at::empty({batch, channels, time}, at::kFloat);
  float* out = out_BCT.data_ptr<float>();
  const int64_t rows_per_task = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, time));
  at::parallel_for(0, batch * channels, rows_per_task, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const auto id = static_cast<uint64_t>(utterance_ids[static_cast<size_t>(index / channels)]);
      const auto channel = static_cast<uint32_t>(index % channels);
      const Row row{(stream << 20) | channel, static_cast<uint32_t>(id), static_cast<uint32_t>(id >> 32), key[0],
                    key[1]};
      float* to = out + index * time;
#if VT_HAS_AVX2_VARIANT
      if (has_avx2()) {
        fill_row_avx2(row, values, time, to);
        continue;
      }
#endif
      fill_row_plain(row, values, time, to);
    }
  });
  return out_BCT;
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t p0 = static_cast<uint64_t>(kMultiplier0) * counter[0];
    const uint64_t p1 = static_cast<uint64_t>(kMultiplier1) * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

Draws::Draws(int64_t seed, int64_t step) {
  const uint64_t key = mixed(mixed(static_cast<uint64_t>(seed)) ^ static_cast<uint64_t>(step));
  key_ = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
}

at::Tensor Draws::normal_BCT(uint32_t stream, const std::vector<int64_t>& utterance_ids, int64_t channels,
                             int64_t time) const {
  return draw_BCT(key_, stream, utterance_ids, channels, time, Normal{});
}

at::Tensor Draws::uniform_BCT(uint32_t stream, const std::vector<int64_t>& utterance_ids, int64_t channels,
                              int64_t time) const {
  return draw_BCT(key_, stream, utterance_ids, channels, time, Uniform{});
}

at::Tensor Draws::uniform_B(uint32_t stream, const std::vector<int64_t>& utterance_ids) const {
  return draw_BCT(key_, stream, utterance_ids, 1, 1, Uniform{}).view({-1});
}

at::Tensor Draws::keep_mask_BCT(uint32_t stream, const std::vector<int64_t>& utterance_ids, int64_t channels,
                                int64_t time, float drop_probability) const {
  VT_CHECK_ARG(drop_probability >= 0.0f && drop_probability < 1.0f, "dropout probability is ", drop_probability,
               ", expected 0 or more and less than 1");
  const KeepMask mask{static_cast<int32_t>(std::lround(drop_probability * 65536.0f)),
                      std::bit_cast<int32_t>(1.0f / (1.0f - drop_probability))};
  return draw_BCT(key_, stream, utterance_ids, channels, time, mask);
}

}  // namespace valetts
