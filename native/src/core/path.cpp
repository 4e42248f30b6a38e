#include "core/path.h"

#include <cstdlib>
#include <string>

#include "core/check.h"

namespace valetts {

namespace {
thread_local bool plain_here = false;
}  // namespace

GpuPath gpu_path() {
  static const GpuPath chosen = [] {
    const char* given = std::getenv("VALETTS_GPU_PATH");
    const std::string name = given == nullptr || *given == '\0' ? "plain" : given;
    VT_CHECK_ARG(name == "plain" || name == "fused" || name == "graphs", "VALETTS_GPU_PATH is '", name,
                 "'; it must be plain, fused or graphs");
    return name == "plain" ? GpuPath::kPlain : name == "fused" ? GpuPath::kFused : GpuPath::kGraphs;
  }();
  return chosen;
}

bool on_plain_path() { return plain_here; }

PlainPathScope::PlainPathScope(bool plain) : outer_(plain_here) { plain_here = plain; }

PlainPathScope::~PlainPathScope() { plain_here = outer_; }

}  // namespace valetts
