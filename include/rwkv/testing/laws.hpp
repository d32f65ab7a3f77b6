#pragma once
#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/determinism.hpp>
#include <rwkv/testing/equivalence.hpp>
#include <rwkv/testing/gradients.hpp>

namespace rwkv::testing {

/// All that a layer must satisfy, whatever it computes and on any machine; the first law that is broken, or the last
/// that holds. What drops differs between a whole and its pieces: with dropout, gradients and determinism
/// are all there is.
template <class L, template <class> class Machine = Cpu>
Report check_laws(const Options& options = {}) {
  Report report = check_gradients<L, Machine<double>>(options);
  if (report && options.dropout) return check_determinism<L, Machine<float>>(options);
  if (report) report = check_equivalence<L, Machine<double>>(options);
  if (report) report = check_equivalence<L, Machine<float>>(options);
  if (report) report = check_bundles<L, Machine<double>>(options);
  if (report) report = check_determinism<L, Machine<float>>(options);
  return report;
}

}  // namespace rwkv::testing
