// The feature-matching distance of all maps of all discriminators in one pass forward and one backward.
//   d = sum over the maps of mean |generated - real|
// Source: HiFi-GAN (arXiv:2010.05646), section 2.4; Larsen et al. (arXiv:1512.09300).
//
// One pass serves contiguous float32 on the CPU, and on CUDA, where gpu_path() says so, half precision too, for at most 64 maps;
// everything else takes libtorch's operations. Sums are made in pieces of fixed size, so the result does not depend on the number
// of threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace valetts {

// generated, real: as many maps, pairwise of one shape, none empty; the gradient goes to `generated` alone.
// Returns a scalar, in the maps' type (float32 for half precision). Differentiable once.
// Errors: INVALID_ARGUMENT for lists or maps that do not match.
at::Tensor feature_distance(const std::vector<at::Tensor>& generated, const std::vector<at::Tensor>& real);

}  // namespace valetts
