// The GPU's weight norm against the plain loops, without torch.
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "on_device.cuh"
#include "weight_norm/weight_norm_raw.h"

namespace {

using namespace valetts;

int failures = 0;

std::vector<float> values(int64_t count, uint64_t seed) {
  std::vector<float> out(static_cast<size_t>(count));
  for (float& value : out) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    value = static_cast<float>(seed >> 40) / 2097152.0f - 4.0f;
  }
  return out;
}

void compare(const char* what, int64_t rows, int64_t columns, const std::vector<float>& actual,
             const std::vector<float>& expected) {
  double apart = 0.0, largest = 1.0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - expected[i]);
    apart = difference <= apart ? apart : difference;  // NaN counts
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
  }
  if (!(apart <= 4e-6 * largest)) {
    std::printf("FAILED: %s of %ld x %ld: %g apart\n", what, static_cast<long>(rows), static_cast<long>(columns), apart);
    ++failures;
  }
}

// One weight on both sides.
struct Weight {
  int64_t rows, columns;
  std::vector<float> v, g, grad, w, norms, grad_v, grad_g;
  std::unique_ptr<OnDevice<float>> device_v, device_g, device_grad, device_w, device_norms, device_grad_v, device_grad_g;

  Weight(int64_t row_count, int64_t column_count, uint64_t seed)
      : rows(row_count), columns(column_count), v(values(rows * columns, seed)), g(values(rows, seed + 1)),
        grad(values(rows * columns, seed + 2)), w(v.size()), norms(g.size()), grad_v(v.size()), grad_g(g.size()) {
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * columns;
      weight_norm_row(&v[at], g[row], columns, &w[at], &norms[row]);
      weight_norm_backward_row(&v[at], g[row], norms[row], &grad[at], columns, &grad_v[at], &grad_g[row]);
    }
    const auto upload = [](const std::vector<float>& from) { return std::make_unique<OnDevice<float>>(from); };
    const std::vector<float> wide(v.size(), -7.0f), narrow(g.size(), -7.0f);
    device_v = upload(v), device_g = upload(g), device_grad = upload(grad);
    device_w = upload(wide), device_norms = upload(narrow), device_grad_v = upload(wide), device_grad_g = upload(narrow);
  }
};

void check(const std::vector<int64_t>& columns, int64_t count) {
  std::vector<Weight> weights;
  for (int64_t i = 0; i < count; ++i) {
    weights.emplace_back(i % 7 + 1, columns[static_cast<size_t>(i) % columns.size()], static_cast<uint64_t>(10 * i + 1));
  }
  std::vector<WeightNormTensor> forward;
  std::vector<WeightNormGradient> backward;
  for (const Weight& of : weights) {
    forward.push_back({of.device_v->data(), of.device_g->data(), of.device_w->data(), of.device_norms->data(), of.rows,
                       of.columns});
    backward.push_back({of.device_v->data(), of.device_g->data(), of.device_norms->data(), of.device_grad->data(),
                        of.device_grad_v->data(), of.device_grad_g->data(), of.rows, of.columns});
  }
  const char* problems[] = {weight_norm_cuda(forward.data(), count, nullptr),
                            weight_norm_backward_cuda(backward.data(), count, nullptr)};
  CHECK_CUDA(cudaDeviceSynchronize());
  for (const char* problem : problems) {
    if (problem == nullptr) continue;
    std::printf("FAILED: %s\n", problem);
    ++failures;
  }
  for (const Weight& of : weights) {
    compare("weight", of.rows, of.columns, of.device_w->values(), of.w);
    compare("norms", of.rows, of.columns, of.device_norms->values(), of.norms);
    compare("direction's gradient", of.rows, of.columns, of.device_grad_v->values(), of.grad_v);
    compare("gain's gradient", of.rows, of.columns, of.device_grad_g->values(), of.grad_g);
  }
}

}  // namespace

int main() {
  if (const int status = without_gpu()) return status;
  for (const int64_t columns : {1, 2, 31, 32, 33, 129, 1134}) check({columns}, 1);
  for (const int64_t count : {0, 2, 47, 48, 49, 150}) check({1, 2, 31, 32, 33, 129, 1134}, count);
  std::printf("weight norm: 13 lists, %d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
