#include "train/recorder.h"

#ifdef VALETTS_CUDA
#include <ATen/Context.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstdlib>
#include <cstring>
#include <vector>
#endif

namespace valetts {

namespace {

class Repetition : public Recording {
 public:
  explicit Repetition(std::function<void()> work) : work_(std::move(work)) {}
  void replay() override { work_(); }

 private:
  std::function<void()> work_;
};

#ifdef VALETTS_CUDA
class Graph : public Recording {
 public:
  at::cuda::CUDAGraph& graph() { return graph_; }
  void replay() override { graph_.replay(); }
  int64_t kernels() const override { return kernels_; }

  // Counts what `stream` has recorded so far, on the streams that it forked into too.
  void count_kernels(const c10::cuda::CUDAStream& stream) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    unsigned long long id = 0;
    cudaGraph_t graph = nullptr;
#if CUDART_VERSION >= 13000
    C10_CUDA_CHECK(cudaStreamGetCaptureInfo(stream.stream(), &status, &id, &graph));
#else
    C10_CUDA_CHECK(cudaStreamGetCaptureInfo_v2(stream.stream(), &status, &id, &graph));
#endif
    if (status != cudaStreamCaptureStatusActive || graph == nullptr) return;
    size_t count = 0;
    C10_CUDA_CHECK(cudaGraphGetNodes(graph, nullptr, &count));
    std::vector<cudaGraphNode_t> nodes(count);
    C10_CUDA_CHECK(cudaGraphGetNodes(graph, nodes.data(), &count));
    for (const cudaGraphNode_t node : nodes) {
      cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
      C10_CUDA_CHECK(cudaGraphNodeGetType(node, &type));
      if (type == cudaGraphNodeTypeKernel) ++kernels_;
    }
  }

 private:
  at::cuda::CUDAGraph graph_;
  int64_t kernels_ = 0;
};

// While it lives with `on`, cuDNN times its algorithms for a convolution's shape when it meets the first one of that shape on
// this thread, and libtorch remembers the fastest. That pays where shapes come in buckets. VALETTS_CUDNN_AUTOTUNE=0 leaves the
// choice to cuDNN's heuristics, which are the same in every process.
class Autotuning {
 public:
  explicit Autotuning(bool on) : before_(at::globalContext().benchmarkCuDNN()) {
    const char* wanted = std::getenv("VALETTS_CUDNN_AUTOTUNE");
    at::globalContext().setBenchmarkCuDNN(on && (wanted == nullptr || std::strcmp(wanted, "0") != 0));
  }
  ~Autotuning() { at::globalContext().setBenchmarkCuDNN(before_); }
  Autotuning(const Autotuning&) = delete;
  Autotuning& operator=(const Autotuning&) = delete;

 private:
  bool before_;
};

class GraphRecorder : public Recorder {
 public:
  explicit GraphRecorder(at::Device device)
      : device_(device),
        stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())),
        pool_(at::cuda::graph_pool_handle()) {}

  void rehearse(const std::function<void()>& work) override {
    const c10::cuda::CUDAStream outer = c10::cuda::getCurrentCUDAStream(device_.index());
    follow(outer, stream_);
    try {
      const c10::cuda::CUDAStreamGuard guard(stream_);
      const Autotuning autotuning(true);
      work();
    } catch (...) {
      follow(stream_, outer);
      throw;
    }
    follow(stream_, outer);
  }

  std::unique_ptr<Recording> record(const std::function<void()>& work) override {
    auto recording = std::make_unique<Graph>();
    const c10::cuda::CUDAStream outer = c10::cuda::getCurrentCUDAStream(device_.index());
    // What the eager steps keep in the cache is room that the pool cannot use.
    C10_CUDA_CHECK(cudaStreamSynchronize(outer.stream()));
    c10::cuda::CUDACachingAllocator::emptyCache();
    const c10::cuda::CUDAStreamGuard guard(stream_);
    // Of this thread alone: the threads that prepare batches may allocate meanwhile.
    recording->graph().capture_begin(pool_, cudaStreamCaptureModeThreadLocal);
    try {
      // What was found is used; to look for more, nothing may be timed while recording.
      const Autotuning autotuning(false);
      work();
      recording->count_kernels(stream_);
    } catch (...) {
      end_failed(recording->graph());
      throw;
    }
    recording->graph().capture_end();
    return recording;
  }

  void release() override {
    // A pool whose last graph is gone must not be recorded into again.
    pool_ = at::cuda::graph_pool_handle();
    c10::cuda::CUDACachingAllocator::emptyCache();
  }

 private:
  // `second` goes on where `first` has got to.
  static void follow(const c10::cuda::CUDAStream& first, const c10::cuda::CUDAStream& second) {
    at::cuda::CUDAEvent reached;
    reached.record(first);
    reached.block(second);
  }

  // Leaves the stream and the allocator usable: the first error is the one to tell.
  void end_failed(at::cuda::CUDAGraph& graph) {
    try {
      graph.capture_end();
    } catch (const std::exception&) {
      try {
        c10::cuda::CUDACachingAllocator::endAllocateToPool(device_.index(), pool_);
      } catch (const std::exception&) {
      }
    }
    cudaGetLastError();
  }

  at::Device device_;
  c10::cuda::CUDAStream stream_;
  at::cuda::MempoolId_t pool_;
};
#endif

}  // namespace

std::unique_ptr<Recording> RepeatingRecorder::record(const std::function<void()>& work) {
  return std::make_unique<Repetition>(work);
}

std::unique_ptr<Recorder> make_graph_recorder(at::Device device) {
#ifdef VALETTS_CUDA
  if (device.is_cuda()) return std::make_unique<GraphRecorder>(device);
#endif
  (void)device;
  return nullptr;
}

}  // namespace valetts
