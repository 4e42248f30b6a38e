#include "core/side_by_side.h"

#include "core/path.h"

#ifdef VALETTS_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <map>
#endif

namespace valetts {

#ifdef VALETTS_CUDA
namespace {

// The same stream for the same branch each time: what libtorch keeps for a stream is set up once.
c10::cuda::CUDAStream stream_of_branch(size_t branch, c10::DeviceIndex device) {
  thread_local std::map<std::pair<c10::DeviceIndex, size_t>, c10::cuda::CUDAStream> streams;
  const auto place = std::make_pair(device, branch);
  auto found = streams.find(place);
  if (found == streams.end()) {
    found = streams.emplace(place, c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device)).first;
  }
  return found->second;
}

// Memory belongs to the stream it was asked for on: where another one uses it too, the allocator has to know.
void used_on(const std::vector<at::Tensor>& tensors, const c10::cuda::CUDAStream& stream) {
  for (const at::Tensor& tensor : tensors) {
    if (tensor.defined()) c10::cuda::CUDACachingAllocator::recordStream(tensor.storage().data_ptr(), stream);
  }
}

void fork_and_join(c10::DeviceIndex device, const std::vector<at::Tensor>& inputs, const std::vector<Branch>& branches) {
  const c10::cuda::CUDAStream caller = c10::cuda::getCurrentCUDAStream(device);
  at::cuda::CUDAEvent begun;
  begun.record(caller);
  std::vector<at::cuda::CUDAEvent> done(branches.size());
  for (size_t i = 1; i < branches.size(); ++i) {
    const c10::cuda::CUDAStream stream = stream_of_branch(i, device);
    begun.block(stream);
    used_on(inputs, stream);
    const c10::cuda::CUDAStreamGuard guard(stream);
    used_on(branches[i](), caller);
    done[i].record(stream);
  }
  branches.front()();
  for (size_t i = 1; i < branches.size(); ++i) done[i].block(caller);
}

}  // namespace
#endif

void side_by_side(at::Device device, const std::vector<at::Tensor>& inputs, const std::vector<Branch>& branches) {
#ifdef VALETTS_CUDA
  if (device.is_cuda() && gpu_path() == GpuPath::kBranches && branches.size() > 1) {
    fork_and_join(device.index(), inputs, branches);
    return;
  }
#endif
  (void)device;
  (void)inputs;
  for (const Branch& branch : branches) branch();
}

}  // namespace valetts
