// Independent parts of a pass that a GPU may do at the same time.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace valetts {

// A part; returns the tensors it made that are used outside.
using Branch = std::function<std::vector<at::Tensor>()>;

// Does all branches. On a CUDA device with VALETTS_GPU_PATH=branches each but the first gets a stream of its own, which begins
// where the caller's stands; the caller's goes on after all of them, and so will the backward pass. Elsewhere they are done one
// after the other, in order. `inputs` are the tensors of the caller's that branches read. A branch must not read what another
// one makes.
void side_by_side(at::Device device, const std::vector<at::Tensor>& inputs, const std::vector<Branch>& branches);

}  // namespace valetts
