// The tensor face: checks, choice of path, and the node of the gradient.
#include "weight_norm/weight_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "core/check.h"
#include "core/module_scope.h"
#include "core/path.h"
#include "weight_norm/weight_norm_raw.h"

#ifdef VALETTS_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace valetts {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kValuesPerTask = 32768;

bool on_fused_path(const at::Tensor& x) {
  if (on_plain_path()) return false;
#ifdef VALETTS_CUDA
  if (x.is_cuda()) return gpu_path() != GpuPath::kPlain;
#endif
  return x.is_cpu();
}

bool fits(const at::Tensor& x, const at::Tensor& first) {
  return x.scalar_type() == at::kFloat && x.is_contiguous() && x.device() == first.device();
}

// Rows of one weight, about kValuesPerTask values.
struct Rows {
  size_t tensor;
  int64_t first;
  int64_t last;
};

template <typename Weight>
std::vector<Rows> tasks_of(const std::vector<Weight>& weights) {
  std::vector<Rows> tasks;
  for (size_t i = 0; i < weights.size(); ++i) {
    const int64_t rows = std::max<int64_t>(1, kValuesPerTask / std::max<int64_t>(1, weights[i].columns));
    for (int64_t first = 0; first < weights[i].rows; first += rows) {
      tasks.push_back({i, first, std::min(weights[i].rows, first + rows)});
    }
  }
  return tasks;
}

// Calls work(weight, row) for every row.
template <typename Weight, typename Work>
void for_each_row(const std::vector<Weight>& weights, const Work& work) {
  const std::vector<Rows> tasks = tasks_of(weights);
  at::parallel_for(0, static_cast<int64_t>(tasks.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Rows& task = tasks[static_cast<size_t>(i)];
      for (int64_t row = task.first; row < task.last; ++row) work(weights[task.tensor], row);
    }
  });
}

#ifdef VALETTS_CUDA
// Runs `launch` with the tensor's device and stream.
template <typename Launch>
void on_device(const at::Tensor& x, const Launch& launch) {
  const c10::cuda::CUDAGuard guard(x.device());
  const char* problem = launch(c10::cuda::getCurrentCUDAStream(x.device().index()).stream());
  VT_CHECK_ARG(problem == nullptr, "weight norm on ", x.device().str(), ": ", problem);
}
#endif

struct WeightNorms : torch::autograd::Function<WeightNorms> {
  static variable_list forward(AutogradContext* context, at::TensorList v, at::TensorList g) {
    VT_PROFILED_KERNEL("valetts::weight_norm", v.vec(), g.vec());
    std::vector<WeightNormTensor> weights;
    variable_list out, saved = v.vec();
    saved.insert(saved.end(), g.begin(), g.end());
    for (size_t i = 0; i < v.size(); ++i) {
      out.push_back(at::empty_like(v[i]));
      saved.push_back(at::empty_like(g[i]));
      const int64_t rows = v[i].size(0);
      weights.push_back({v[i].const_data_ptr<float>(), g[i].const_data_ptr<float>(), out.back().mutable_data_ptr<float>(),
                         saved.back().mutable_data_ptr<float>(), rows, v[i].numel() / rows});
    }
    context->save_for_backward(saved);
    context->set_materialize_grads(false);
#ifdef VALETTS_CUDA
    if (v.front().is_cuda()) {
      on_device(v.front(), [&](void* stream) {
        return weight_norm_cuda(weights.data(), static_cast<int64_t>(weights.size()), stream);
      });
      return out;
    }
#endif
    for_each_row(weights, [](const WeightNormTensor& of, int64_t row) {
      const int64_t at = row * of.columns;
      weight_norm_row_fast(of.v + at, of.g[row], of.columns, of.w + at, of.norms + row);
    });
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    VT_PROFILED_KERNEL("valetts::weight_norm_backward", saved);
    const size_t count = gradients.size();
    std::vector<WeightNormGradient> weights;
    variable_list out(2 * count);
    for (size_t i = 0; i < count; ++i) {
      if (!gradients[i].defined()) continue;
      gradients[i] = gradients[i].contiguous();
      const at::Tensor &v = saved[i], &g = saved[count + i], &norms = saved[2 * count + i];
      out[i] = at::empty_like(v);
      out[count + i] = at::empty_like(g);
      const int64_t rows = v.size(0);
      weights.push_back({v.const_data_ptr<float>(), g.const_data_ptr<float>(), norms.const_data_ptr<float>(),
                         gradients[i].const_data_ptr<float>(), out[i].mutable_data_ptr<float>(),
                         out[count + i].mutable_data_ptr<float>(), rows, v.numel() / rows});
    }
#ifdef VALETTS_CUDA
    if (saved.front().is_cuda()) {
      on_device(saved.front(), [&](void* stream) {
        return weight_norm_backward_cuda(weights.data(), static_cast<int64_t>(weights.size()), stream);
      });
      return out;
    }
#endif
    for_each_row(weights, [](const WeightNormGradient& of, int64_t row) {
      const int64_t at = row * of.columns;
      weight_norm_backward_row_fast(of.v + at, of.g[row], of.norms[row], of.grad_w + at, of.columns, of.grad_v + at,
                                    of.grad_g + row);
    });
    return out;
  }
};

void check(const at::Tensor& v, const at::Tensor& g, size_t index) {
  const bool shaped = v.dim() >= 1 && g.dim() == v.dim() && v.numel() > 0 && g.size(0) == v.size(0) && g.numel() == v.size(0);
  VT_CHECK_ARG(shaped, "weight norm: gain ", index, " is ", g.sizes(), " beside a direction of ", v.sizes());
}

}  // namespace

std::vector<at::Tensor> weight_norms(const std::vector<at::Tensor>& v, const std::vector<at::Tensor>& g) {
  VT_CHECK_ARG(v.size() == g.size(), "weight norm: ", g.size(), " gains beside ", v.size(), " directions");
  if (v.empty()) return {};
  bool fused = on_fused_path(v.front());
  for (size_t i = 0; i < v.size(); ++i) {
    check(v[i], g[i], i);
    fused = fused && fits(v[i], v.front()) && fits(g[i], v.front());
  }
  if (fused) return WeightNorms::apply(at::TensorList(v), at::TensorList(g));
  std::vector<at::Tensor> out;
  for (size_t i = 0; i < v.size(); ++i) out.push_back(at::_weight_norm(v[i], g[i], 0));
  return out;
}

}  // namespace valetts
