#include "api/guard.h"

#include <c10/util/Exception.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "core/check.h"

namespace valetts {

namespace {

thread_local std::string last_error;

std::atomic<int> running_calls{0};
std::atomic<uint64_t> calls{0};

void leave_without_destructors(int status, void*) {
  if (running_calls.load() > 0) _exit(status);
}

vt_status remember(vt_status status, const std::string& message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear();
  }
  return status;
}

}  // namespace


RunningCall::RunningCall() noexcept {
  running_calls.fetch_add(1);
  // Exit handlers run last in, first out, and libtorch makes globals whenever it first needs them: registering again at
  // call 1, 2, 4, 8, ... keeps this handler in front of theirs.
  const uint64_t call = calls.fetch_add(1) + 1;
  if ((call & (call - 1)) == 0) on_exit(leave_without_destructors, nullptr);
}

RunningCall::~RunningCall() { running_calls.fetch_sub(1); }

vt_status status_of_current_exception() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    return remember(static_cast<vt_status>(error.code()), error.what());
  } catch (const c10::OutOfMemoryError& error) {
    return remember(VT_OUT_OF_MEMORY, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return remember(VT_OUT_OF_MEMORY, "out of host memory");
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    const bool host_memory = message.find("can't allocate memory") != std::string::npos ||
                             message.find("not enough memory") != std::string::npos;
    const bool device = message.find("CUDA error") != std::string::npos;
    return remember(host_memory ? VT_OUT_OF_MEMORY : device ? VT_DEVICE_FATAL : VT_INTERNAL, message);
  } catch (const std::exception& error) {
    return remember(VT_INTERNAL, error.what());
  } catch (...) {
    return remember(VT_INTERNAL, "an exception of an unknown type");
  }
}

}  // namespace valetts

extern "C" const char* vt_last_error(void) { return valetts::last_error.c_str(); }
