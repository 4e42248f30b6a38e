#include "core/profiler.h"

#include <ATen/ATen.h>
#include <ATen/SequenceNumber.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <set>
#include <string_view>
#include <unordered_map>

#include "core/check.h"
#include "core/json.h"
#include "core/module_scope.h"

namespace valetts {

namespace {

using Clock = std::chrono::steady_clock;

double micros_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::micro>(to - from).count();
}

// What an operator is to a profile.
enum class Kind {
  kNothing,     // a view, or made of operators that are counted themselves
  kAllocation,  // memory that somebody is about to write
  kWork
};

Kind kind_of_schema(const c10::FunctionSchema& schema, const c10::OperatorName& name) {
  static const std::set<std::string> allocations{"aten::empty", "aten::empty_like", "aten::empty_strided",
                                                 "aten::new_empty", "aten::new_empty_strided"};
  static const std::set<std::string> free{"aten::resize_", "aten::set_", "aten::lift_fresh", "aten::_nnpack_available",
                                          "aten::_debug_has_internal_overlap", "aten::is_same_size"};
  if (allocations.count(name.name) > 0) return Kind::kAllocation;
  if (free.count(name.name) > 0) return Kind::kNothing;
  const auto handle = c10::Dispatcher::singleton().findOp(name);
  if (handle && handle->hasKernelForDispatchKey(c10::DispatchKey::CompositeImplicitAutograd)) return Kind::kNothing;
  if (!schema.returns().empty()) {
    const c10::AliasInfo* alias = schema.returns().front().alias_info();
    if (alias != nullptr && !alias->isWrite()) return Kind::kNothing;
  }
  return Kind::kWork;
}

int64_t bytes_of(const at::Tensor& tensor) {
  if (!tensor.defined()) return 0;
  const auto dense = static_cast<int64_t>(tensor.nbytes());
  // What is broadcast is read once.
  return tensor.has_storage() ? std::min(dense, static_cast<int64_t>(tensor.storage().nbytes())) : dense;
}

int64_t bytes_of(const c10::IValue& value) {
  if (value.isTensor()) return bytes_of(value.toTensor());
  int64_t bytes = 0;
  if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) bytes += bytes_of(tensor);
  } else if (value.isList()) {
    for (const c10::IValue& item : value.toListRef()) bytes += item.isTensor() ? bytes_of(item.toTensor()) : 0;
  }
  return bytes;
}

template <typename Values>
int64_t bytes_of_all(const Values& values) {
  int64_t bytes = 0;
  for (const c10::IValue& value : values) bytes += bytes_of(value);
  return bytes;
}

// An operator that changes its arguments and returns nothing writes what it has read.
int64_t bytes_written_in_place(const c10::FunctionSchema& schema, c10::ArrayRef<const c10::IValue> inputs) {
  if (!schema.returns().empty()) return 0;
  int64_t bytes = 0;
  for (size_t i = 0; i < std::min(inputs.size(), schema.arguments().size()); ++i) {
    const c10::AliasInfo* alias = schema.arguments()[i].alias_info();
    if (alias != nullptr && alias->isWrite()) bytes += bytes_of(inputs[i]);
  }
  return bytes;
}

struct Place {
  size_t module = 0;
  PassDirection direction = PassDirection::kForward;
  bool operator==(const Place& other) const { return module == other.module && direction == other.direction; }
};

struct Counts {
  double micros = 0.0;
  int64_t calls = 0;
  int64_t operators = 0;
  int64_t bytes = 0;
};

struct TraceEvent {
  std::string name;
  double begin_micros;
  double length_micros;
  uint64_t thread;  // 0: the line of modules
  int64_t bytes;
};

}  // namespace

struct Profiler::Results {
  std::vector<std::string> modules;
  std::vector<std::array<Counts, 2>> counts;  // of each module, by direction
  std::vector<TraceEvent> trace;
};

// Of one piece of measured work.
class Profiler::Recorder {
 public:
  Recorder(c10::Device device, std::vector<std::string> modules) : device_(device) {
    results_.modules = std::move(modules);
    if (results_.modules.empty()) results_.modules.emplace_back(kRest);
    results_.counts.resize(results_.modules.size());
    scopes_.push_back(0);
    marks_.push_back({0, 0});
    began_ = changed_ = Clock::now();
    mark_time();
  }

  // The one at work in this process, and whether it is for work that this thread began.
  static std::atomic<Recorder*> current;
  static thread_local Recorder* of_thread;

  bool enter(const char* name) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const size_t module = module_of(name);
    if (module == scopes_.back()) return false;
    scopes_.push_back(module);
    ++results_.counts[module][0].calls;
    marks_.push_back({at::sequence_number::peek(), module});
    change({module, PassDirection::kForward});
    return true;
  }

  void leave() {
    const std::lock_guard<std::mutex> lock(mutex_);
    scopes_.pop_back();
    marks_.push_back({at::sequence_number::peek(), scopes_.back()});
    change({scopes_.back(), PassDirection::kForward});
  }

  // A node of the backward pass belongs where its forward ran; one that only collects gradients, to the node before it.
  void node(int64_t sequence_number) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (sequence_number >= 0) {
      const auto after = std::upper_bound(marks_.begin(), marks_.end(), static_cast<uint64_t>(sequence_number),
                                          [](uint64_t number, const Mark& mark) { return number < mark.first_number; });
      change({std::prev(after)->module, PassDirection::kBackward});
    }
    ++results_.counts[place_.module][1].calls;
  }

  Kind kind_of(const at::RecordFunction& function) {
    if (function.scope() == at::RecordScope::USER_SCOPE) {
      return std::string_view(function.name()).rfind(kKernelPrefix, 0) == 0 ? Kind::kWork : Kind::kNothing;
    }
    const std::optional<c10::OperatorName> name = function.operator_name();
    if (!name) return Kind::kNothing;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = kinds_.find(*name);
    if (found != kinds_.end()) return found->second;
    return kinds_.emplace(*name, kind_of_schema(*function.operator_schema(), *name)).first->second;
  }

  void count(const char* name, Clock::time_point began, int64_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Counts& counts = results_.counts[place_.module][static_cast<size_t>(place_.direction)];
    ++counts.operators;
    counts.bytes += bytes;
    results_.trace.push_back({name, micros_between(began_, began), micros_between(began, Clock::now()),
                              at::RecordFunction::currentThreadId(), bytes});
  }

  Results finish() {
    change({0, PassDirection::kForward}, /*last=*/true);
    if (!device_.is_cpu()) spans_of_device();
    for (const Span& span : spans_) {
      results_.counts[span.place.module][static_cast<size_t>(span.place.direction)].micros += span.length_micros;
      const char* suffix = span.place.direction == PassDirection::kBackward ? ", backward" : "";
      results_.trace.push_back(
          {results_.modules[span.place.module] + suffix, span.begin_micros, span.length_micros, 0, 0});
    }
    return std::move(results_);
  }

 private:
  struct Mark {
    uint64_t first_number;  // autograd nodes from this number on were made in `module`
    size_t module;
  };
  struct Span {
    Place place;
    double begin_micros;
    double length_micros;
  };

  size_t module_of(const char* name) {
    const auto found = std::find(results_.modules.begin(), results_.modules.end(), name);
    if (found != results_.modules.end()) return static_cast<size_t>(found - results_.modules.begin());
    results_.modules.emplace_back(name);
    results_.counts.emplace_back();
    return results_.modules.size() - 1;
  }

  void change(const Place& to, bool last = false) {
    if (to == place_ && !last) return;
    const Clock::time_point now = Clock::now();
    spans_.push_back({place_, micros_between(began_, changed_), micros_between(changed_, now)});
    mark_time();
    changed_ = now;
    place_ = to;
  }

  void mark_time() {
    if (device_.is_cpu()) return;
    events_.emplace_back(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
    events_.back().record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
  }

  // Spans as the device's stream went through them, instead of as the host did.
  void spans_of_device() {
    events_.back().synchronize();
    constexpr double kMicrosPerMilli = 1000.0;
    for (size_t i = 0; i < spans_.size(); ++i) {
      spans_[i].begin_micros = kMicrosPerMilli * events_.front().elapsedTime(events_[i]);
      spans_[i].length_micros = kMicrosPerMilli * events_[i].elapsedTime(events_[i + 1]);
    }
  }

  c10::Device device_;
  std::mutex mutex_;  // a device's backward pass runs on a thread of its own
  Results results_;
  std::vector<size_t> scopes_;
  std::vector<Mark> marks_;
  std::vector<Span> spans_;
  std::vector<c10::Event> events_;
  std::unordered_map<c10::OperatorName, Kind> kinds_;
  Place place_;
  Clock::time_point began_, changed_;
};

std::atomic<Profiler::Recorder*> Profiler::Recorder::current{nullptr};
thread_local Profiler::Recorder* Profiler::Recorder::of_thread = nullptr;

namespace {

// The operator that this thread is in, with what it reads and writes; its own calls are part of it.
struct Working : at::ObserverContext {
  Clock::time_point began;
  int64_t bytes = 0;
  bool is_kernel = false;  // of ours: what it allocates is what it writes
  bool allocates = false;
};
thread_local Working* working = nullptr;

}  // namespace

// Called by libtorch around each operator of the measured work, on its thread and on those of its backward pass.
struct ProfilerCallbacks {
  template <typename Recorder>
  static std::unique_ptr<at::ObserverContext> on_entry(const at::RecordFunction& function) {
    Recorder* recorder = Recorder::current.load(std::memory_order_acquire);
    if (recorder == nullptr) return nullptr;
    if (function.scope() == at::RecordScope::BACKWARD_FUNCTION) {
      recorder->node(function.seqNr());
      return nullptr;
    }
    if (working != nullptr) return working->is_kernel ? allocation_of(*recorder, function) : nullptr;
    if (recorder->kind_of(function) != Kind::kWork) return nullptr;
    auto context = std::make_unique<Working>();
    context->is_kernel = function.scope() == at::RecordScope::USER_SCOPE;
    context->bytes = bytes_of_all(function.inputs());
    if (!context->is_kernel) context->bytes += bytes_written_in_place(*function.operator_schema(), function.inputs());
    context->began = Clock::now();
    working = context.get();
    return context;
  }

  struct Allocation : at::ObserverContext {};

  template <typename Recorder>
  static std::unique_ptr<at::ObserverContext> allocation_of(Recorder& recorder, const at::RecordFunction& function) {
    if (working->allocates || recorder.kind_of(function) != Kind::kAllocation) return nullptr;
    working->allocates = true;
    return std::make_unique<Allocation>();
  }

  template <typename Recorder>
  static void on_exit(const at::RecordFunction& function, at::ObserverContext* context) {
    if (context == nullptr) return;
    if (context != working) {
      if (working == nullptr) return;
      working->bytes += bytes_of_all(function.outputs());
      working->allocates = false;
      return;
    }
    const Working done = *working;
    working = nullptr;
    Recorder* recorder = Recorder::current.load(std::memory_order_acquire);
    if (recorder == nullptr) return;
    recorder->count(function.name(), done.began, done.bytes + (done.is_kernel ? 0 : bytes_of_all(function.outputs())));
  }
};

Profiler::Profiler(c10::Device device) : device_(device), results_(std::make_unique<Results>()) {}
Profiler::~Profiler() = default;
Profiler::Profiler(Profiler&&) noexcept = default;
Profiler& Profiler::operator=(Profiler&&) noexcept = default;

void Profiler::measure(const std::function<void()>& work) {
  Recorder recorder(device_, results_->modules);
  Recorder* none = nullptr;
  VT_CHECK_STATE(Recorder::current.compare_exchange_strong(none, &recorder), "another profile is being taken");
  Recorder::of_thread = &recorder;
  // Libtorch hands a thread's callbacks on to the threads of its backward passes.
  const at::CallbackHandle handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(&ProfilerCallbacks::on_entry<Recorder>,
                                                            &ProfilerCallbacks::on_exit<Recorder>)
                                     .needsInputs(true)
                                     .needsOutputs(true)
                                     .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION,
                                              at::RecordScope::USER_SCOPE}));
  const auto end = [&] {
    at::removeCallback(handle);
    Recorder::of_thread = nullptr;
    Recorder::current.store(nullptr, std::memory_order_release);
    working = nullptr;
  };
  try {
    work();
  } catch (...) {
    end();
    throw;
  }
  end();
  Results measured = recorder.finish();
  results_->modules = std::move(measured.modules);
  results_->counts.resize(results_->modules.size());
  for (size_t i = 0; i < measured.counts.size(); ++i) {
    for (size_t direction = 0; direction < 2; ++direction) {
      Counts& sum = results_->counts[i][direction];
      const Counts& part = measured.counts[i][direction];
      sum.micros += part.micros;
      sum.calls += part.calls;
      sum.operators += part.operators;
      sum.bytes += part.bytes;
    }
  }
  results_->trace = std::move(measured.trace);
}

std::vector<ProfileRow> Profiler::rows() const {
  constexpr double kMicrosPerSecond = 1e6;
  std::vector<ProfileRow> rows;
  for (size_t i = 0; i < results_->counts.size(); ++i) {
    for (const PassDirection direction : {PassDirection::kForward, PassDirection::kBackward}) {
      const Counts& counts = results_->counts[i][static_cast<size_t>(direction)];
      if (counts.calls == 0 && counts.operators == 0 && counts.micros == 0.0) continue;
      rows.push_back({results_->modules[i], direction, counts.micros / kMicrosPerSecond, counts.calls, counts.operators,
                      counts.bytes});
    }
  }
  return rows;
}

void Profiler::write_trace(const std::string& file) const {
  VT_CHECK_STATE(!results_->trace.empty(), "nothing has been measured that could be traced");
  std::ofstream out(file, std::ios::binary);
  VT_CHECK_IO(out.good(), file, ": the trace cannot be written there");
  out << "{\"traceEvents\":[\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":0,\"args\":{\"name\":\"modules\"}}";
  out.precision(3);
  out << std::fixed;
  for (const TraceEvent& event : results_->trace) {
    out << ",\n{\"ph\":\"X\",\"name\":" << json_quoted(event.name) << ",\"pid\":1,\"tid\":" << event.thread
        << ",\"ts\":" << event.begin_micros << ",\"dur\":" << event.length_micros << ",\"args\":{\"bytes\":" << event.bytes
        << "}}";
  }
  out << "\n],\"displayTimeUnit\":\"ms\"}\n";
  out.close();
  VT_CHECK_IO(!out.fail(), file, ": the trace could not be written whole");
}

ModuleScope::ModuleScope(const char* name) : entered_(false) {
  if (Profiler::Recorder::of_thread != nullptr) entered_ = Profiler::Recorder::of_thread->enter(name);
}

ModuleScope::~ModuleScope() {
  if (entered_ && Profiler::Recorder::of_thread != nullptr) Profiler::Recorder::of_thread->leave();
}

}  // namespace valetts
