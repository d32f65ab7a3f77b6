#pragma once
#include <cstdio>
#include <cstdlib>

namespace fuzz {

/// What must hold, whatever was read: a run that finds otherwise ends there.
inline void expect(bool met, const char* what) {
  if (met) return;
  std::fprintf(stderr, "expected: %s\n", what);
  std::abort();
}

}  // namespace fuzz
