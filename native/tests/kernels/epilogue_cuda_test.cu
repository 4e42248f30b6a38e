// The GPU's epilogues against the plain loops, without torch: in float32, and in half precision on values that it holds.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "epilogue/epilogue_raw.h"
#include "kernel_checks.cuh"

namespace {

using namespace valetts;

template <typename Value>
constexpr ValueType kType = ValueType::kFloat;
template <>
constexpr ValueType kType<__half> = ValueType::kHalf;
template <>
constexpr ValueType kType<__nv_bfloat16> = ValueType::kBfloat16;

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
std::vector<float> held(const std::vector<float>& from) {
  return widened(narrowed<Value>(from));
}

template <typename Value>
class Device {
 public:
  explicit Device(const std::vector<float>& from) : memory_(narrowed<Value>(from)) {}
  explicit Device(size_t count) : Device(std::vector<float>(count, -7.0f)) {}
  Value* data() const { return memory_.data(); }
  std::vector<float> values() const { return widened(memory_.values()); }

 private:
  OnDevice<Value> memory_;
};

struct Case {
  EpilogueShape shape;
  bool kept, masked;
  double tolerance;
  std::string name;
};

template <typename X, typename Y>
void check(const Case& of) {
  const EpilogueShape& shape = of.shape;
  const int64_t rows = shape.batch * shape.channels, size = rows * shape.time;
  const std::vector<float> x = held<X>(values(size, 1)), y = held<Y>(values(size, 2)), grad = held<X>(values(size, 3)),
                           grad_2 = held<X>(values(size, 4)), bias = values(shape.channels, 5);
  std::vector<float> keep = mask_values(size, 6);
  const std::vector<float> mask = mask_values(shape.batch * shape.time, 7);
  for (float& value : keep) value *= 1.25f;
  std::vector<float> active(x.size()), grad_active(x.size()), sum(x.size()), rectified(x.size()),
      grad_x(x.size()), grad_y(x.size()), mean(x.size()), grad_mean(x.size());
  constexpr float kSlope = 0.1f;
  const auto place = [&](const std::vector<float>& v, int64_t row) { return &v[static_cast<size_t>(row * shape.time)]; };
  const auto to = [&](std::vector<float>& v, int64_t row) { return &v[static_cast<size_t>(row * shape.time)]; };
  for (int64_t row = 0; row < rows; ++row) {
    const float* keep_T = of.kept ? place(keep, row) : nullptr;
    const float* mask_T = of.masked ? &mask[static_cast<size_t>(row / shape.channels * shape.time)] : nullptr;
    activation_row(bias[row % shape.channels], kSlope, keep_T, mask_T, shape.time, place(x, row), to(active, row));
    activation_backward_row(kSlope, keep_T, mask_T, shape.time, place(active, row), place(grad, row), to(grad_active, row));
    residual_row(kSlope, keep_T, mask_T, shape.time, place(x, row), place(y, row), to(sum, row), to(rectified, row));
    residual_backward_row(kSlope, keep_T, mask_T, shape.time, place(rectified, row), place(grad, row), place(grad_2, row),
                          to(grad_x, row), to(grad_y, row));
    const MeanInputs in{{place(x, row), place(grad, row)}, {place(grad_2, row), place(x, row)}, 2};
    mean_row(in, kSlope, shape.time, to(mean, row));
    mean_backward_row(2, kSlope, shape.time, place(mean, row), place(grad, row), to(grad_mean, row));
  }
  const Device<X> device_x(x), device_grad(grad), device_grad_2(grad_2);
  const Device<Y> device_y(y);
  const OnDevice<float> device_bias(bias), device_keep(keep), device_mask(mask);
  const float* of_keep = of.kept ? device_keep.data() : nullptr;
  const float* of_mask = of.masked ? device_mask.data() : nullptr;
  const Device<X> out(x.size()), out_2(x.size()), to_x(x.size());
  const Device<Y> to_y(x.size());
  launched(activation_cuda(shape, kType<X>, device_x.data(), device_bias.data(), kSlope, of_keep, of_mask, out.data(), nullptr));
  compare("activation" + of.name, out.values(), active, of.tolerance);
  launched(activation_backward_cuda(shape, kType<X>, out.data(), kSlope, of_keep, of_mask, device_grad.data(), to_x.data(),
                                    nullptr));
  compare("activation's gradient" + of.name, to_x.values(), grad_active, of.tolerance);
  launched(residual_cuda(shape, kType<X>, kType<Y>, device_x.data(), device_y.data(), kSlope, of_keep, of_mask, out.data(),
                         out_2.data(), nullptr));
  compare("sum" + of.name, out.values(), sum, of.tolerance);
  compare("rectified sum" + of.name, out_2.values(), rectified, of.tolerance);
  launched(residual_backward_cuda(shape, kType<X>, kType<Y>, out_2.data(), kSlope, of_keep, of_mask, device_grad.data(),
                                  device_grad_2.data(), to_x.data(), to_y.data(), nullptr));
  compare("residual's gradient of x" + of.name, to_x.values(), grad_x, of.tolerance);
  compare("residual's gradient of y" + of.name, to_y.values(), grad_y, of.tolerance);
  const MeanDeviceInputs in{{device_x.data(), device_grad.data()}, {device_grad_2.data(), device_x.data()}, 2};
  launched(mean_cuda(size, kType<X>, in, kSlope, out.data(), nullptr));
  compare("mean" + of.name, out.values(), mean, of.tolerance);
  launched(mean_backward_cuda(size, kType<X>, 2, kSlope, out.data(), device_grad.data(), to_x.data(), nullptr));
  compare("mean's gradient" + of.name, to_x.values(), grad_mean, of.tolerance);
}

}  // namespace

int main() {
  if (const int status = without_gpu()) return status;
  int points = 0;
  for (const int64_t batch : {1, 16}) {
    for (const int64_t time : {1, 2, 31, 32, 33, 129, 1134}) {
      for (int with = 0; with < 4; ++with) {
        Case of{{batch, 5, time}, (with & 1) != 0, (with & 2) != 0, 1e-6, ""};
        const std::string size = " B=" + std::to_string(batch) + " T=" + std::to_string(time) + " factors " + std::to_string(with);
        of.name = size + " float";
        check<float, float>(of);
        of.tolerance = 2e-3;
        of.name = size + " half";
        check<__half, __half>(of);
        of.name = size + " half beside float";
        check<float, __half>(of);
        of.tolerance = 1e-2;
        of.name = size + " bfloat16";
        check<__nv_bfloat16, __nv_bfloat16>(of);
        of.name = size + " bfloat16 beside float";
        check<float, __nv_bfloat16>(of);
        ++points;
      }
    }
  }
  std::printf("epilogue: %d grid points, %d failures\n", points, failures);
  return failures == 0 ? 0 : 1;
}
