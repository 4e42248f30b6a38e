#include "core/path.h"

namespace valetts {

namespace {
thread_local bool plain_here = false;
}  // namespace

bool on_plain_path() { return plain_here; }

PlainPathScope::PlainPathScope(bool plain) : outer_(plain_here) { plain_here = plain; }

PlainPathScope::~PlainPathScope() { plain_here = outer_; }

}  // namespace valetts
