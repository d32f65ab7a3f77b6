#pragma once
#include <string>
#include <utility>
#include <vector>

#include <rwkv/core/dropout_stream.hpp>
#include <rwkv/testing/case.hpp>
#include <rwkv/testing/numbers.hpp>

namespace rwkv::testing {

/// All that a layer computes from. The loss is the sum of weights * y, so that the weights are the gradient which comes
/// in.
struct Operands {
  BundleNumbers params;
  SignalNumbers x;
  BundleNumbers start;  ///< the state before the first token
  SignalNumbers weights;
  DropoutStreams dropout{};

  /// Some of the tokens, from another state.
  Operands part(dim_t first, dim_t count, const BundleNumbers& from) const {
    return {params, x.part(first, count), from, weights.part(first, count), {}};
  }
};

/// All that it computes: the last three by backward.
struct Result {
  SignalNumbers y;
  BundleNumbers state, dparams;
  SignalNumbers dx;
  BundleNumbers dstate;
};

/// A layer on a machine as a function of numbers, without its type: laws are compiled once for all layers.
class LayerUnderTest {
 public:
  struct Facts {
    std::string name;
    bool reads_tokens;
    std::vector<dim_t> in, out;  ///< channels of the tensors of a signal
    dim_t flops;
    int kept_tensors;         ///< in the Cache
    double computed, stored;  ///< relative rounding errors of one operation, and of storing a result
  };

  explicit LayerUnderTest(Facts facts) : facts_(std::move(facts)) {}
  LayerUnderTest(const LayerUnderTest&) = delete;
  LayerUnderTest& operator=(const LayerUnderTest&) = delete;
  virtual ~LayerUnderTest() = default;

  const Facts& facts() const { return facts_; }
  virtual BundleNumbers initial_parameters(std::uint64_t seed) const = 0;
  virtual BundleNumbers initial_state(dim_t batch) const = 0;
  /// x, as the layer's scalars hold it.
  virtual double stored(double x) const = 0;
  /// The state of `batch` sequences after a way around: a copy of it, when the original is gone, or a file.
  enum class Way { copied, saved_and_loaded };
  virtual BundleNumbers state_after(Way, const BundleNumbers& state, dim_t batch) const = 0;

  Result forward(const Operands& o) const { return run(o, Ways::forward, nullptr, nullptr); }
  /// dfinal: the gradient of the final state; before: what the gradients of the parameters are added to. Zeros where
  /// they are missing.
  Result both_ways(const Operands& o, const BundleNumbers* dfinal = nullptr,
                   const BundleNumbers* before = nullptr) const {
    return run(o, Ways::both, dfinal, before);
  }
  /// The same where no parameter is trained, so that backward has no gradient to add to: dparams are zeros.
  Result both_ways_frozen(const Operands& o) const { return run(o, Ways::both_frozen, nullptr, nullptr); }

  /// Parameters away from their initial values, where many gradients vanish; a state as a few tokens leave it.
  Operands operands(const Case& c, const Options& o) const {
    Draw draw(c.seed);
    Operands all{initial_parameters(c.seed), {c.seq, facts_.in}, {}, {c.seq, facts_.out}, {o.dropout, {c.seed}}};
    all.params.change(
        [&](double x) { return stored(x + stored(0.3 * draw.normal() * (c.wild && draw.once_in(8) ? 30 : 1))); });
    fill_input(all.x, draw, c.wild, o.vocabulary);
    for (double& w : all.weights.values) w = stored(draw.normal());
    Operands before{all.params, {{c.seq.batch, 3}, facts_.in}, initial_state(c.seq.batch), {}};
    fill_input(before.x, draw, c.wild, o.vocabulary);
    all.start = forward(before).state;
    return all;
  }

 protected:
  enum class Ways { forward, both, both_frozen };

 private:
  /// Standard normal numbers, with `wild` one in eight ten times as large; tokens below `vocabulary`.
  void fill_input(SignalNumbers& signal, Draw& draw, bool wild, dim_t vocabulary) const {
    for (double& x : signal.values)
      x = facts_.reads_tokens ? double(draw.below(vocabulary))
                              : stored(draw.normal() * (wild && draw.once_in(8) ? 10 : 1));
  }
  virtual Result run(const Operands&, Ways, const BundleNumbers* dfinal, const BundleNumbers* before) const = 0;

  Facts facts_;
};

}  // namespace rwkv::testing
