#include "winograd/winograd_raw.h"

namespace valetts {

void winograd_convolution(const WinogradConvolution& conv, const float* weight_OIK, const WinogradFusion& fusion,
                          const WinogradSpan& span, const float* x_BTC, float* y_BTC) {
  const auto rectified = [](float x, float slope) { return x < slope * x ? slope * x : x; };
  const int64_t y_stride = span.y_stride == 0 ? conv.out : span.y_stride;
  for (int64_t b = 0; b < span.batch; ++b) {
    for (int64_t t = 0; t < span.time; ++t) {
      for (int64_t o = 0; o < conv.out; ++o) {
        float value = conv.bias == nullptr ? 0.0f : conv.bias[o];
        for (int64_t k = 0; k < conv.kernel; ++k) {
          const int64_t from = t + k * conv.dilation - conv.padding;
          if (from < -span.before || from >= span.time + span.after) continue;
          for (int64_t i = 0; i < conv.in; ++i) {
            value += weight_OIK[(o * conv.in + i) * conv.kernel + k] *
                     rectified(x_BTC[(b * span.time + from) * conv.in + i], fusion.input_slope);
          }
        }
        const int64_t at = (b * span.time + t) * y_stride + o;
        if (fusion.residual != nullptr) value += fusion.residual[at];
        if (fusion.sum != nullptr) value += fusion.sum[at];
        y_BTC[at] = rectified(fusion.scale * value, fusion.output_slope);
      }
    }
  }
}

}  // namespace valetts
