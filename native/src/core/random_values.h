// The arithmetic of a random draw, the same on the host and in CUDA code: 32-bit words of Philox4x32-10 and the values made
// of them. Both give the same bits as long as neither contracts to fused multiply-adds, so the files that use this are
// compiled without. No torch.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define VT_DRAW __host__ __device__ __forceinline__
#else
#define VT_DRAW inline __attribute__((always_inline))
#endif

namespace valetts {

constexpr uint32_t kMultiplier0 = 0xD2511F53u;
constexpr uint32_t kMultiplier1 = 0xCD9E8D57u;
constexpr uint32_t kWeyl0 = 0x9E3779B9u;
constexpr uint32_t kWeyl1 = 0xBB67AE85u;
constexpr int kRounds = 10;

VT_DRAW uint32_t bits_of(float value) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(value);
#elif defined(__CUDACC__)
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
#else
  return __builtin_bit_cast(uint32_t, value);
#endif
}

VT_DRAW float float_of(uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#elif defined(__CUDACC__)
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
#else
  return __builtin_bit_cast(float, bits);
#endif
}

// The ten rounds on one counter, in place.
VT_DRAW void philox_rounds(uint32_t* counter_4, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t p0 = static_cast<uint64_t>(kMultiplier0) * counter_4[0];
    const uint64_t p1 = static_cast<uint64_t>(kMultiplier1) * counter_4[2];
    const uint32_t c1 = counter_4[1], c3 = counter_4[3];
    counter_4[0] = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ key0;
    counter_4[1] = static_cast<uint32_t>(p1);
    counter_4[2] = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ key1;
    counter_4[3] = static_cast<uint32_t>(p0);
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
}

// In [0,1), a multiple of 2^-24.
VT_DRAW float uniform_value(uint32_t word) { return static_cast<float>(static_cast<int32_t>(word >> 8)) * 0x1p-24f; }

// sqrt(-2 ln u), u = (word + 1/2) / 2^32 to float precision. Polynomials: Cephes logf.
VT_DRAW float normal_radius(uint32_t word) {
  const float u = static_cast<float>(static_cast<int32_t>(word >> 1)) * 0x1p-31f + 0x1p-32f;
  const auto bits = static_cast<int32_t>(bits_of(u));
  int32_t exponent = (bits >> 23) - 126;
  float m = float_of(static_cast<uint32_t>((bits & 0x007FFFFF) | 0x3F000000));  // [0.5, 1)
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
  return sqrtf(doubled > 0.0f ? doubled : 0.0f);
}

// Of an angle of which 2^32 are a full turn.
VT_DRAW void cosine_and_sine(uint32_t turn, float& cosine, float& sine) {
  const uint32_t quadrant = (turn + 0x20000000u) >> 30;
  const auto rest = static_cast<int32_t>(turn - (quadrant << 30));
  const float a = static_cast<float>(rest) * 1.46291807926715968e-9f;  // 2 pi / 2^32; |a| <= pi / 4
  const float z = a * a;
  const float s = a + a * z * (-1.6666654611e-1f + z * (8.3321608736e-3f + z * -1.9515295891e-4f));
  const float c = 1.0f - 0.5f * z +
                  z * z * (4.166664568298827e-2f + z * (-1.388731625493765e-3f + z * 2.443315711809948e-5f));
  const bool odd = (quadrant & 1u) != 0;
  const uint32_t cosine_sign = ((quadrant + 1u) & 2u) << 30;
  const uint32_t sine_sign = (quadrant & 2u) << 30;
  cosine = float_of(bits_of(odd ? s : c) ^ cosine_sign);
  sine = float_of(bits_of(odd ? c : s) ^ sine_sign);
}

}  // namespace valetts
