#pragma once
#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/determinism.hpp>
#include <rwkv/testing/equivalence.hpp>
#include <rwkv/testing/gradients.hpp>
#include <rwkv/testing/try_laws.hpp>

namespace rwkv::testing {

/// The same layer in double and in float; null: in double alone.
inline Report check_laws(const LayerUnderTest& doubles, const LayerUnderTest* floats, const Options& options = {}) {
  std::vector<Law> laws{{"gradients", [&] { return check_gradients(doubles, options); }}};
  if (!options.dropout) {
    laws.push_back({"equivalence in double", [&] { return check_equivalence(doubles, options); }});
    if (floats) laws.push_back({"equivalence in float", [&] { return check_equivalence(*floats, options); }});
    laws.push_back({"bundles", [&] { return check_bundles(doubles, options); }});
  }
  laws.push_back({"determinism", [&] { return check_determinism(floats ? *floats : doubles, options); }});
  return try_laws("check_laws<" + doubles.facts().name + ">", laws);
}

/// All that a layer must satisfy, whatever it computes and on any machine; the first law that is broken, or the names
/// of those that hold. What drops differs between a whole and its pieces: with dropout, gradients and determinism are
/// all there is.
template <class L, template <class> class Machine = Cpu>
Report check_laws(const Options& options = {}) {
  const LayerRun<L, Machine<float>> floats;
  return check_laws(LayerRun<L, Machine<double>>(), &floats, options);
}

}  // namespace rwkv::testing
