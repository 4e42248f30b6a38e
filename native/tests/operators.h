// Counts the operators that some work runs, and those of them for which a GPU's host would have to wait.
#pragma once

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/module_scope.h"

namespace valetts::testing {

// Operators that only describe memory, and those that do nothing but call others.
inline const std::set<std::string> kFree{
    "aten::_reshape_alias", "aten::_unsafe_view",  "aten::alias",      "aten::as_strided",    "aten::as_strided_",
    "aten::broadcast_to",   "aten::chunk",         "aten::contiguous", "aten::detach",        "aten::detach_",
    "aten::empty",          "aten::empty_like",    "aten::empty_strided", "aten::expand",     "aten::expand_as",
    "aten::flatten",        "aten::lift_fresh",    "aten::movedim",    "aten::narrow",        "aten::new_empty",
    "aten::new_empty_strided", "aten::permute",    "aten::reshape",    "aten::resize_",       "aten::resolve_conj",
    "aten::resolve_neg",    "aten::select",        "aten::set_",       "aten::slice",         "aten::split",
    "aten::squeeze",        "aten::squeeze_",      "aten::t",          "aten::to",            "aten::transpose",
    "aten::transpose_",     "aten::unbind",        "aten::unfold",     "aten::unflatten",     "aten::unsqueeze",
    "aten::unsqueeze_",     "aten::view",          "aten::view_as",    "aten::view_as_complex", "aten::view_as_real",
    "aten::_nnpack_available", "aten::_debug_has_internal_overlap", "detach", "detach_"};

inline bool only_calls_others(const std::string& name) {
  return name.rfind("autograd::", 0) == 0 || name.rfind("torch::autograd", 0) == 0 ||
         name.find("Backward") != std::string::npos;
}

// The operators and kernels of our own that the present thread runs, outermost ones that do work: close to the kernels
// that a GPU would launch. What an operator calls for its own purposes is its own business (the optimizer's kernel reads
// its step counts on the host there).
struct Operators {
  std::map<std::string, int64_t> count;
  int64_t total = 0;
  int64_t depth = 0;
  // Copies that name a device, and on a GPU may cross to or from it.
  int64_t transfers = 0;

  // The first of those that wait for the device's answer; empty if there is none.
  std::string asking() const {
    for (const char* name : {"aten::_local_scalar_dense", "aten::item", "aten::is_nonzero", "aten::nonzero",
                             "aten::masked_select", "aten::equal", "aten::unique_dim", "aten::_unique2"}) {
      if (count.count(name) > 0) return name;
    }
    return {};
  }
};

inline Operators* recording = nullptr;

struct Working : at::ObserverContext {};

inline std::unique_ptr<at::ObserverContext> on_operator_entry(const at::RecordFunction& function) {
  const std::string name = function.name();
  if (name == "aten::to") {
    for (const c10::IValue& value : function.inputs()) recording->transfers += value.isDevice() ? 1 : 0;
  }
  if (only_calls_others(name) || kFree.count(name) > 0) return nullptr;
  if (function.scope() == at::RecordScope::USER_SCOPE && name.rfind(kKernelPrefix, 0) != 0) return nullptr;
  if (recording->depth++ == 0) {
    ++recording->count[name];
    ++recording->total;
  }
  return std::make_unique<Working>();
}

inline void on_operator_exit(const at::RecordFunction&, at::ObserverContext* context) {
  if (context != nullptr) --recording->depth;
}

template <typename Work>
Operators operators_of(const Work& work) {
  Operators operators;
  recording = &operators;
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(on_operator_entry, on_operator_exit)
                                                     .needsInputs(true)
                                                     .scopes({at::RecordScope::FUNCTION, at::RecordScope::USER_SCOPE}));
  work();
  at::removeCallback(handle);
  recording = nullptr;
  return operators;
}

}  // namespace valetts::testing
