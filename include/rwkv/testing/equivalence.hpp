#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/layer_run.hpp>
#include <rwkv/testing/tolerance.hpp>
#include <rwkv/testing/try_cases.hpp>

namespace rwkv::testing {
namespace detail {

/// Forwards through the pieces, then backwards from the last to the first with the gradient of the state.
inline std::optional<Finding> cut(const LayerUnderTest& layer, const std::string& law, const Operands& all,
                                  const Result& whole, const std::vector<dim_t>& pieces, const Tolerance& allowed) {
  std::vector<BundleNumbers> starts{all.start};
  dim_t first = 0;
  for (const dim_t n : pieces) {
    Result r = layer.forward(all.part(first, n, starts.back()));
    r.y.first = first;
    if (auto f = disagreement(law + ": outputs", whole.y.part(first, n), r.y, allowed.y)) return f;
    starts.push_back(std::move(r.state));
    first += n;
  }
  if (auto f = disagreement(law + ": final state", whole.state, starts.back(), allowed.state)) return f;

  BundleNumbers dparams = whole.dparams.zeros(), dstate = whole.dstate.zeros();
  for (std::size_t p = pieces.size(); p-- > 0;) {
    first -= pieces[p];
    Result r = layer.both_ways(all.part(first, pieces[p], starts[p]), &dstate, &dparams);
    r.dx.first = first;
    if (auto f = disagreement(law + ": gradient of the input", whole.dx.part(first, pieces[p]), r.dx, allowed.dx))
      return f;
    dstate = std::move(r.dstate), dparams = std::move(r.dparams);
  }
  if (auto f = disagreement(law + ": gradients of the parameters", whole.dparams, dparams, allowed.dparams)) return f;
  return disagreement(law + ": gradient of the initial state", whole.dstate, dstate, allowed.dstate);
}

}  // namespace detail

inline Report check_equivalence(const LayerUnderTest& layer, const Options& options = {}) {
  return try_cases(
      "check_equivalence<" + layer.facts().name + ">", options, [&](const Case& c) -> std::optional<Finding> {
        const Operands operands = layer.operands(c, options);
        const Result whole = layer.both_ways(operands);
        if (overflowed(c, options, whole)) return {};
        const Tolerance allowed = tolerance(layer, c, operands, whole);
        if (auto f =
                detail::cut(layer, "pieces that carry the state equal one run", operands, whole, c.pieces, allowed))
          return f;
        const std::vector<dim_t> tokens(std::size_t(c.seq.time), 1);
        return detail::cut(layer, "token by token equals one run", operands, whole, tokens, allowed);
      });
}

/// One run over all tokens = pieces of any lengths that carry their state = token by token: outputs, final state, and
/// the gradients of input, parameters and initial state. What may be off follows from the scalar type, the length and
/// the layer: see `tolerance`.
template <class L, class B = Cpu<double>>
Report check_equivalence(const Options& options = {}) {
  return check_equivalence(LayerRun<L, B>(), options);
}

}  // namespace rwkv::testing
