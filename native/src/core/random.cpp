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
#include "core/random_values.h"

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
      out[i] = uniform_value(words[i]);
    }
  }
};

struct Normal {
  static constexpr int kValues = kBlock;

  VT_INLINE void operator()(const uint32_t* words, float* out) const {
    for (int pair = 0; pair < 2; ++pair) {
      for (int i = 0; i < kLanes; ++i) {
        const float r = normal_radius(words[2 * kLanes * pair + i]);
        float cosine, sine;
        cosine_and_sine(words[2 * kLanes * pair + kLanes + i], cosine, sine);
        out[2 * kLanes * pair + i] = r * cosine;
        out[2 * kLanes * pair + kLanes + i] = r * sine;
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
  philox_rounds(counter.data(), key[0], key[1]);
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
