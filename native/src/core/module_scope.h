// Says for which part of the model the present thread works, so that a profile can tell the parts apart. Without a profile
// under way, a scope costs a look at one thread-local variable.
#pragma once

#include <ATen/record_function.h>

namespace valetts {

class ModuleScope {
 public:
  // The innermost name counts; a scope inside one of its own name is part of it. `name` must outlive the scope.
  explicit ModuleScope(const char* name);
  ~ModuleScope();
  ModuleScope(const ModuleScope&) = delete;
  ModuleScope& operator=(const ModuleScope&) = delete;

 private:
  bool entered_;
};

// What kernels of our own are called in a profile: this, and their name.
inline constexpr const char* kKernelPrefix = "valetts::";

}  // namespace valetts

// At the head of a kernel's host function: VT_PROFILED_KERNEL("valetts::wavenet_gate", a_BGT, condition_BG1);
#define VT_PROFILED_KERNEL(name, ...) RECORD_USER_SCOPE_WITH_INPUTS(name, (std::vector<c10::IValue>{__VA_ARGS__}))
