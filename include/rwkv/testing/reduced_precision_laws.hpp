#pragma once
#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/determinism.hpp>
#include <rwkv/testing/equivalence.hpp>
#include <rwkv/testing/precision.hpp>
#include <rwkv/testing/try_laws.hpp>

namespace rwkv::testing {

/// The same layer on a machine in reduced precision and on its Accum.
inline Report check_reduced_precision_laws(const LayerUnderTest& reduced, const LayerUnderTest& full,
                                           const Options& options = {}) {
  std::vector<Law> laws{{"precision", [&] { return check_precision(reduced, full, options); }}};
  if (!options.dropout) {
    laws.push_back({"equivalence", [&] { return check_equivalence(reduced, options); }});
    laws.push_back({"bundles", [&] { return check_bundles(reduced, options); }});
  }
  laws.push_back({"determinism", [&] { return check_determinism(reduced, options); }});
  return try_laws("check_reduced_precision_laws<" + reduced.facts().name + ">", laws);
}

/// All laws of a layer on such a machine. Its gradients are those in full precision within rounding, and those are
/// derivatives: differences of rounded numbers would say little.
template <class L, class B = Cpu<bf16>>
Report check_reduced_precision_laws(const Options& options = {}) {
  return check_reduced_precision_laws(LayerRun<L, B>(), LayerRun<L, Accum<B>>(), options);
}

}  // namespace rwkv::testing
