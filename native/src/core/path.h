// Whether a pass takes the fast implementation of an operation or the plain one that it is checked against.
#pragma once

namespace valetts {

// True inside a PlainPathScope on this thread.
bool on_plain_path();

// While it lives, operations with a hand-written implementation on this thread use their plain form.
class PlainPathScope {
 public:
  explicit PlainPathScope(bool plain);
  ~PlainPathScope();
  PlainPathScope(const PlainPathScope&) = delete;
  PlainPathScope& operator=(const PlainPathScope&) = delete;

 private:
  bool outer_;
};

}  // namespace valetts
