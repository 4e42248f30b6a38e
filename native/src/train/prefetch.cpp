#include "train/prefetch.h"

#ifdef VALETTS_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace valetts {

#ifdef VALETTS_CUDA
struct Prefetch::Side {
  c10::cuda::CUDAStream stream;
  at::cuda::CUDAEvent done;
};
#else
struct Prefetch::Side {};
#endif

Prefetch::Prefetch(at::Device device) : device_(device) {
#ifdef VALETTS_CUDA
  if (device.is_cuda()) {
    side_.reset(new Side{c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index()), {}});
  }
#endif
}

Prefetch::~Prefetch() = default;

void Prefetch::clear() {
  inputs_.reset();
  key_.clear();
}

void Prefetch::begin(const std::vector<int64_t>& key, const std::function<StepInputs()>& prepare, bool also_on_cpu) {
  clear();
  if (!device_.is_cuda() && !also_on_cpu) return;
  try {
#ifdef VALETTS_CUDA
    if (side_) {
      const c10::cuda::CUDAStreamGuard guard(side_->stream);
      inputs_ = prepare();
      side_->done.record(side_->stream);
    } else {
      inputs_ = prepare();
    }
#else
    inputs_ = prepare();
#endif
    key_ = key;
  } catch (const std::exception&) {
    clear();
  }
}

std::optional<StepInputs> Prefetch::take(const std::vector<int64_t>& key) {
  std::optional<StepInputs> taken;
  if (inputs_ && key == key_) taken = std::move(inputs_);
  clear();
#ifdef VALETTS_CUDA
  if (taken && side_) {
    const c10::cuda::CUDAStream present = c10::cuda::getCurrentCUDAStream(device_.index());
    side_->done.block(present);
    for (const at::Tensor& tensor : {taken->token_ids_BT, taken->token_lengths_B, taken->spectrogram, taken->mel_BMS,
                                     taken->frame_lengths_B, taken->samples_B1N, taken->speaker_ids_B}) {
      if (tensor.defined()) c10::cuda::CUDACachingAllocator::recordStream(tensor.storage().data_ptr(), present);
    }
  }
#endif
  return taken;
}

}  // namespace valetts
