#include "feature_matching/feature_matching.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "core/kernel_path.h"
#include "core/module_scope.h"
#include "core/precision.h"
#include "feature_matching/feature_matching_raw.h"

namespace valetts {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kPiece = 8192;
constexpr int64_t kLanes = 16;

// A stretch of one map, at most kPiece values.
struct Piece {
  const float* generated;
  const float* real;
  int64_t count;
  size_t map;
  int64_t first;
};

std::vector<Piece> pieces_of(at::TensorList generated, at::TensorList real) {
  std::vector<Piece> pieces;
  for (size_t map = 0; map < generated.size(); ++map) {
    const auto* from = generated[map].const_data_ptr<float>();
    const auto* to = real[map].const_data_ptr<float>();
    for (int64_t first = 0; first < generated[map].numel(); first += kPiece) {
      pieces.push_back({from + first, to + first, std::min(kPiece, generated[map].numel() - first), map, first});
    }
  }
  return pieces;
}

float absolute_sum(const Piece& piece) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= piece.count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] += std::abs(piece.generated[i + lane] - piece.real[i + lane]);
    }
  }
  for (int64_t lane = 0; i < piece.count; ++i, ++lane) lanes[lane] += std::abs(piece.generated[i] - piece.real[i]);
  float total = 0.0f;
  for (const float lane : lanes) total += lane;
  return total;
}

// +scale, 0 or -scale, as the generated value is above, at or below the real one (or not a number).
void signs(const Piece& piece, float scale, float* out) {
  for (int64_t i = 0; i < piece.count; ++i) {
    const float difference = piece.generated[i] - piece.real[i];
    const float above = difference > 0.0f ? scale : 0.0f;
    const float below = difference < 0.0f ? scale : 0.0f;
    out[i] = above - below;
  }
}

#ifdef VALETTS_CUDA
// `to` is empty, or has a tensor like each of the maps.
FeatureMapTable table_of(at::TensorList generated, at::TensorList real, const variable_list& to) {
  FeatureMapTable table{};
  table.maps = static_cast<int>(generated.size());
  for (size_t i = 0; i < generated.size(); ++i) {
    table.generated[i] = generated[i].const_data_ptr();
    table.real[i] = real[i].const_data_ptr();
    if (!to.empty()) table.to[i] = to[i].mutable_data_ptr();
    table.count[i] = generated[i].numel();
    table.first_piece[i + 1] = table.first_piece[i] + static_cast<int>((table.count[i] + kMapPiece - 1) / kMapPiece);
  }
  return table;
}
#endif

struct Distance : torch::autograd::Function<Distance> {
  static at::Tensor forward(AutogradContext* context, at::TensorList generated, at::TensorList real) {
    VT_PROFILED_KERNEL("valetts::feature_matching", generated.vec(), real.vec());
    variable_list saved = generated.vec();
    saved.insert(saved.end(), real.begin(), real.end());
    context->save_for_backward(saved);
#ifdef VALETTS_CUDA
    if (generated.front().is_cuda()) {
      const FeatureMapTable table = table_of(generated, real, {});
      const at::TensorOptions options = generated.front().options().dtype(at::kFloat).requires_grad(false);
      const at::Tensor distance = at::empty({}, options), pieces_P = at::empty({table.first_piece[table.maps]}, options);
      launch_kernel("feature matching", distance, [&](void* stream) {
        return feature_distance_cuda(value_type_of(generated.front()), table, pieces_P.mutable_data_ptr<float>(),
                                     distance.mutable_data_ptr<float>(), stream);
      });
      return distance;
    }
#endif
    const std::vector<Piece> pieces = pieces_of(generated, real);
    std::vector<float> sums(pieces.size());
    at::parallel_for(0, static_cast<int64_t>(pieces.size()), 2, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) sums[static_cast<size_t>(i)] = absolute_sum(pieces[static_cast<size_t>(i)]);
    });
    double total = 0.0;
    for (size_t i = 0; i < pieces.size(); ++i) total += sums[i] / static_cast<double>(generated[pieces[i].map].numel());
    at::Tensor out = at::empty({}, generated.front().options().requires_grad(false));
    *out.mutable_data_ptr<float>() = static_cast<float>(total);
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    VT_PROFILED_KERNEL("valetts::feature_matching_backward", saved);
    const auto half = static_cast<std::ptrdiff_t>(saved.size() / 2);
    const variable_list generated(saved.begin(), saved.begin() + half), real(saved.begin() + half, saved.end());
    variable_list out(saved.size());
    if (!gradients[0].defined()) return out;
    for (size_t map = 0; map < generated.size(); ++map) out[map] = at::empty_like(generated[map]);
#ifdef VALETTS_CUDA
    if (generated.front().is_cuda()) {
      launch_kernel("feature matching", generated.front(), [&](void* stream) {
        return feature_distance_backward_cuda(value_type_of(generated.front()),
                                              table_of(generated, real, variable_list(out.begin(), out.begin() + half)),
                                              values_of(gradients[0]), stream);
      });
      return out;
    }
#endif
    const float weight = *gradients[0].const_data_ptr<float>();
    const std::vector<Piece> pieces = pieces_of(generated, real);
    std::vector<float*> to;
    for (size_t map = 0; map < generated.size(); ++map) to.push_back(out[map].mutable_data_ptr<float>());
    at::parallel_for(0, static_cast<int64_t>(pieces.size()), 2, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Piece& piece = pieces[static_cast<size_t>(i)];
        signs(piece, weight / static_cast<float>(generated[piece.map].numel()), to[piece.map] + piece.first);
      }
    });
    return out;
  }
};

bool fits(const at::Tensor& map, const at::Tensor& first) {
  return takes_kernel(map) && is_float_or_half(map) && map.is_contiguous() && map.scalar_type() == first.scalar_type() &&
         map.device() == first.device();
}

}  // namespace

at::Tensor feature_distance(const std::vector<at::Tensor>& generated, const std::vector<at::Tensor>& real) {
  VT_CHECK_ARG(!generated.empty() && generated.size() == real.size(), "feature matching: ", generated.size(),
               " generated maps beside ", real.size(), " real ones");
  bool fused = generated.size() <= kMostMaps;
  variable_list targets;
  for (size_t i = 0; i < generated.size(); ++i) {
    VT_CHECK_ARG(generated[i].sizes() == real[i].sizes() && generated[i].numel() > 0, "feature matching: map ", i, " is ",
                 generated[i].sizes(), " beside ", real[i].sizes());
    targets.push_back(real[i].detach());
    fused = fused && fits(generated[i], generated[0]) && fits(real[i], generated[0]);
  }
  if (fused) return Distance::apply(at::TensorList(generated), at::TensorList(targets));
  at::Tensor total;
  for (size_t i = 0; i < generated.size(); ++i) {
    const at::Tensor part = at::l1_loss(widened(generated[i]), widened(targets[i]));
    total = total.defined() ? total + part : part;
  }
  return total;
}

}  // namespace valetts
