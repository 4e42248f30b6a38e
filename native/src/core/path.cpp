#include "core/path.h"

#include <cstdlib>
#include <string>
#include <utility>

#include "core/check.h"

namespace valetts {

namespace {
thread_local bool plain_here = false;
}  // namespace

GpuPath gpu_path() {
  static const GpuPath chosen = [] {
    const char* given = std::getenv("VALETTS_GPU_PATH");
    const std::string name = given == nullptr || *given == '\0' ? "plain" : given;
    const std::pair<const char*, GpuPath> paths[] = {{"plain", GpuPath::kPlain},
                                                     {"fused", GpuPath::kFused},
                                                     {"graphs", GpuPath::kGraphs},
                                                     {"branches", GpuPath::kBranches}};
    for (const auto& [known, path] : paths) {
      if (name == known) return path;
    }
    VT_CHECK_ARG(false, "VALETTS_GPU_PATH is '", name, "'; it must be plain, fused, graphs or branches");
    return GpuPath::kPlain;
  }();
  return chosen;
}

bool on_plain_path() { return plain_here; }

PlainPathScope::PlainPathScope(bool plain) : outer_(plain_here) { plain_here = plain; }

PlainPathScope::~PlainPathScope() { plain_here = outer_; }

}  // namespace valetts
