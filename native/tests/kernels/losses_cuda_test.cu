// The GPU's feature-matching distance and least squares against the plain loops, without torch.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "feature_matching/feature_matching_raw.h"
#include "kernel_checks.cuh"
#include "least_squares/least_squares_raw.h"

#include <memory>

namespace {

using namespace valetts;

std::vector<int64_t> sizes_of(int pieces) {
  const int64_t sizes[] = {1, 2, 31, 32, 33, 129, 1134, 16384, 16385, 50000};
  std::vector<int64_t> out;
  for (int i = 0; i < pieces; ++i) out.push_back(sizes[i % 10]);
  return out;
}

template <typename Value>
constexpr ValueType kType = ValueType::kFloat;
template <>
constexpr ValueType kType<__half> = ValueType::kHalf;
template <>
constexpr ValueType kType<__nv_bfloat16> = ValueType::kBfloat16;

template <typename Value>
using Memory = std::unique_ptr<OnDevice<Value>>;

template <typename Value>
std::vector<Value> narrowed(const std::vector<float>& from) {
  std::vector<Value> out;
  for (const float value : from) out.push_back(Value(value));
  return out;
}

template <typename Value>
std::vector<float> widened(const std::vector<Value>& from) {
  std::vector<float> out;
  for (const Value value : from) out.push_back(static_cast<float>(value));
  return out;
}

// Values that the type holds.
template <typename Value>
std::vector<float> held(int64_t count, uint64_t seed) {
  return widened(narrowed<Value>(values(count, seed)));
}

template <typename Value>
Memory<Value> on_device(const std::vector<float>& from) {
  return std::make_unique<OnDevice<Value>>(narrowed<Value>(from));
}

// tolerance: of a gradient, which is rounded to the type.
template <typename Value>
void check_maps(int maps, double tolerance) {
  FeatureMapTable table{};
  table.maps = maps;
  std::vector<Memory<Value>> memory;
  std::vector<std::vector<float>> gradients;
  // Large enough for the smallest share of it in float16.
  const float grad = 750.0f;
  double distance = 0.0;
  for (int i = 0; i < maps; ++i) {
    const int64_t count = sizes_of(maps)[i];
    const std::vector<float> generated = held<Value>(count, 2 * i + 1), real = held<Value>(count, 2 * i + 2);
    distance += map_distance(generated.data(), real.data(), count);
    gradients.emplace_back(generated.size());
    map_distance_backward(generated.data(), real.data(), count, grad, gradients.back().data());
    for (const auto& from : {generated, real, std::vector<float>(generated.size(), -7.0f)}) memory.push_back(on_device<Value>(from));
    table.generated[i] = memory[3 * i]->data();
    table.real[i] = memory[3 * i + 1]->data();
    table.to[i] = memory[3 * i + 2]->data();
    table.count[i] = count;
    table.first_piece[i + 1] = table.first_piece[i] + static_cast<int>((count + kMapPiece - 1) / kMapPiece);
  }
  const OnDevice<float> pieces(std::vector<float>(static_cast<size_t>(table.first_piece[maps]), -7.0f)), out({-7.0f}), weight({grad});
  launched(feature_distance_cuda(kType<Value>, table, pieces.data(), out.data(), nullptr));
  compare(std::to_string(maps) + " maps: distance", out.values(), {static_cast<float>(distance)}, 1e-5);
  launched(feature_distance_backward_cuda(kType<Value>, table, weight.data(), nullptr));
  for (int i = 0; i < maps; ++i) compare(std::to_string(maps) + " maps: gradient", widened(memory[3 * i + 2]->values()), gradients[i], tolerance);
}

template <typename Value>
void check_squares(int pieces, double tolerance) {
  LeastSquaresTable table{};
  table.pieces = pieces;
  std::vector<Memory<Value>> memory;
  std::vector<std::vector<float>> gradients;
  std::vector<float> parts, grads;
  for (int i = 0; i < pieces; ++i) {
    const int64_t count = sizes_of(pieces)[i];
    const std::vector<float> x = held<Value>(count, i + 1);
    table.target[i] = static_cast<float>(i % 2);
    grads.push_back(0.5f + static_cast<float>(i));
    parts.push_back(static_cast<float>(squared_distance(x.data(), count, table.target[i])));
    gradients.emplace_back(x.size());
    squared_distance_backward(x.data(), count, table.target[i], grads.back(), gradients.back().data());
    memory.push_back(on_device<Value>(x));
    memory.push_back(on_device<Value>(std::vector<float>(x.size(), -7.0f)));
    table.x[i] = memory[2 * i]->data();
    table.to[i] = memory[2 * i + 1]->data();
    table.count[i] = count;
  }
  const OnDevice<float> out(std::vector<float>(parts.size(), -7.0f)), weights(grads);
  launched(least_squares_cuda(kType<Value>, table, out.data(), nullptr));
  compare(std::to_string(pieces) + " pieces: parts", out.values(), parts, 1e-5);
  launched(least_squares_backward_cuda(kType<Value>, table, weights.data(), nullptr));
  for (int i = 0; i < pieces; ++i) {
    compare(std::to_string(pieces) + " pieces: gradient", widened(memory[2 * i + 1]->values()), gradients[i], tolerance);
  }
}

}  // namespace

int main() {
  if (const int status = without_gpu()) return status;
  for (const int count : {1, 2, 36, 64}) {
    check_maps<float>(count, 1e-6);
    check_squares<float>(count, 1e-6);
    check_maps<__half>(count, 2e-3);
    check_squares<__half>(count, 2e-3);
    check_maps<__nv_bfloat16>(count, 1e-2);
    check_squares<__nv_bfloat16>(count, 1e-2);
  }
  std::printf("losses: 24 cases, %d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
