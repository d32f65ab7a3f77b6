#pragma once
#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/determinism.hpp>
#include <rwkv/testing/equivalence.hpp>
#include <rwkv/testing/gradients.hpp>

namespace rwkv::testing {

/// All that a layer must satisfy, whatever it computes; the first law that is broken, or the last that holds.
template <class L>
Report check_laws(const Options& options = {}) {
  Report report = check_gradients<L>(options);
  if (report) report = check_equivalence<L, Cpu<double>>(options);
  if (report) report = check_equivalence<L, Cpu<float>>(options);
  if (report) report = check_bundles<L>(options);
  if (report) report = check_determinism<L>(options);
  return report;
}

}  // namespace rwkv::testing
