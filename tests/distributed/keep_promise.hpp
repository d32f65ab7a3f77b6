#pragma once
#include <string>

#include <doctest/doctest.h>

#include "stretches.hpp"

namespace across_test {

/// How far off a recurrence with a matrix for each head is where its text is cut over 4 ranks, beside its reference in
/// Finer: not more than allowed. One process alone is said with it.
template <class Finer, class P, class RunAcross>
void keep_promise(const std::string& what, P p, const RunAcross& run_across, double allowed) {
  const auto want = expected<Finer>(p);
  auto alone = p;
  run(alone);
  run_across(p, even_cuts(p.seq.time, 4));
  const double off = check_same(p, want, allowed);
  MESSAGE(what << ": off by " << off << ", in one process by " << check_same(alone, want, allowed));
}

}  // namespace across_test
