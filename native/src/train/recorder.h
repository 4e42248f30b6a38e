// Recording device work once and doing it again. On a GPU a recording is a CUDA graph: thousands of launches become one.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace valetts {

class Recording {
 public:
  virtual ~Recording() = default;
  // Does the recorded work again, on the memory it was recorded with.
  virtual void replay() = 0;
  // Kernels that the device runs in one replay; 0 where nothing counts them.
  virtual int64_t kernels() const { return 0; }
};

class Recorder {
 public:
  virtual ~Recorder() = default;
  // Does the work once, as it will be recorded: what is set up on first use is set up then.
  virtual void rehearse(const std::function<void()>& work) = 0;
  // Records the work; only replay() does it. On an exception nothing is recorded, and what the work did on the host stays.
  virtual std::unique_ptr<Recording> record(const std::function<void()>& work) = 0;
  // Every recording is gone: gives back the memory they shared.
  virtual void release() = 0;
};

// Does the recorded work over each time. It shows on the CPU that work depends on nothing but the memory it was recorded with.
class RepeatingRecorder : public Recorder {
 public:
  void rehearse(const std::function<void()>& work) override { work(); }
  std::unique_ptr<Recording> record(const std::function<void()>& work) override;
  void release() override {}
};

// CUDA graphs of the device's work, all in one pool of memory: recordings must not overlap in time, and what one leaves for
// later has to be held. Work is recorded on a stream of its own, which rehearsals run on too; replays run on the present
// stream. NULL where the device is no GPU.
std::unique_ptr<Recorder> make_graph_recorder(at::Device device);

}  // namespace valetts
