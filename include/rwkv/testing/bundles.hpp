#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/layer_run.hpp>
#include <rwkv/testing/tolerance.hpp>
#include <rwkv/testing/try_cases.hpp>

namespace rwkv::testing {

inline Report check_bundles(const LayerUnderTest& layer, Options options = {}) {
  options.wild = false;
  return try_cases("check_bundles<" + layer.facts().name + ">", options, [&](const Case& c) -> std::optional<Finding> {
    const Operands o = layer.operands(c, options);
    const Result r = layer.both_ways(o);

    BundleNumbers twice = r.dparams;
    for (double& x : twice.values) x *= 2;
    const double allowed = 4 * rounding(layer.facts(), c.seq) * std::max(1.0, largest(twice.values));
    if (auto f = disagreement("backward adds to the gradients: twice is double", twice,
                              layer.both_ways(o, nullptr, &r.dparams).dparams, allowed))
      return f;

    const Result frozen = layer.both_ways_frozen(o);
    if (auto f = disagreement("the input's gradient is the same where no parameter is trained", r.dx, frozen.dx))
      return f;
    if (auto f =
            disagreement("the state's gradient is the same where no parameter is trained", r.dstate, frozen.dstate))
      return f;

    using Way = LayerUnderTest::Way;
    const auto after = [&](Way way) { return layer.state_after(way, r.state, c.seq.batch); };
    if (auto f = disagreement("a copied state is equal", r.state, after(Way::copied))) return f;
    if (!r.state.values.empty())
      if (auto f = disagreement("a saved and loaded state is equal", r.state, after(Way::saved_and_loaded))) return f;

    const Result idle = layer.both_ways(o.part(0, 0, o.start), &r.state);
    if (auto f = disagreement("no tokens leave the state as it was", o.start, idle.state)) return f;
    return disagreement("no tokens add no gradient", idle.dparams.zeros(), idle.dparams);
  });
}

/// Gradients are added to what is there, and to nothing where no parameter is trained; a state is a value: copied,
/// saved and loaded it stays the same; no tokens change nothing. That `fields` forgets no member is checked when the
/// bundle is compiled.
template <class L, class B = Cpu<double>>
Report check_bundles(const Options& options = {}) {
  return check_bundles(LayerRun<L, B>(), options);
}

}  // namespace rwkv::testing
