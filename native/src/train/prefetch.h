// Brings the next step's batch to the device while it works on the present one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "train/trainer.h"

namespace valetts {

class Prefetch {
 public:
  explicit Prefetch(at::Device device);
  ~Prefetch();

  // Runs `prepare`, on a GPU on a stream of its own, and keeps its inputs under the batch's key in place of what was kept
  // before. Whatever goes wrong leaves nothing kept: the batch itself will tell. On the CPU, where nothing is gained, nothing
  // is done unless `also_on_cpu`.
  void begin(const std::vector<int64_t>& key, const std::function<StepInputs()>& prepare, bool also_on_cpu = false);
  // The inputs kept under this key, on the present stream; nothing is kept afterwards.
  std::optional<StepInputs> take(const std::vector<int64_t>& key);
  void clear();

 private:
  struct Side;  // the stream and what it has got to
  at::Device device_;
  std::unique_ptr<Side> side_;
  std::vector<int64_t> key_;
  std::optional<StepInputs> inputs_;
};

}  // namespace valetts
