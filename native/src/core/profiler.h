// Where time goes, by module and direction.
//
// Between two changes of module, all time belongs to the module before the change: the times of a profile add up to the
// whole. A change is a ModuleScope, or an autograd node whose forward ran in another module. On the CPU a change reads the
// clock; on CUDA it records an event on the current stream, and times are the stream's. Nothing waits for the device
// before the measured work is over.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace valetts {

enum class PassDirection { kForward = 0, kBackward = 1 };

struct ProfileRow {
  std::string module;
  PassDirection direction = PassDirection::kForward;
  double seconds = 0.0;
  int64_t calls = 0;      // forward: times entered; backward: autograd nodes
  int64_t operators = 0;  // that compute: neither views, nor allocations, nor those made of others
  int64_t bytes = 0;      // of the operators' inputs and outputs, each counted once for each operator
};

class Profiler {
 public:
  // What no scope claims.
  static constexpr const char* kRest = "rest of the step";

  explicit Profiler(c10::Device device);
  ~Profiler();
  Profiler(Profiler&&) noexcept;
  Profiler& operator=(Profiler&&) noexcept;

  // Runs `work` on this thread and adds what it took; what `work` throws is passed on, with nothing added.
  // Errors: INVALID_STATE while another profile is being taken in this process.
  void measure(const std::function<void()>& work);

  // Of all measured work, in the order in which modules first appeared.
  std::vector<ProfileRow> rows() const;

  // The last measured work as a Chrome trace (JSON): a line of modules, and one of operators on the host for each thread.
  // Errors: INVALID_STATE before any; IO naming the file.
  void write_trace(const std::string& file) const;

 private:
  class Recorder;
  struct Results;
  c10::Device device_;
  std::unique_ptr<Results> results_;

  friend class ModuleScope;
};

}  // namespace valetts
