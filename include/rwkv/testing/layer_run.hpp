#pragma once
#include <cmath>
#include <limits>
#include <optional>

#include <rwkv/layers/layer.hpp>
#include <rwkv/testing/cases.hpp>
#include <rwkv/testing/signal.hpp>

namespace rwkv::testing {

/// A layer, forwards and backwards, as a function of its numbers. The loss is the sum of weights * y, so that the
/// weights are the gradient which comes in.
template <class L, class B>
struct LayerRun {
  using T = typename B::scalar;
  using Params = Owned<B, typename L::template Params<B>>;
  using Cache = Owned<B, typename L::template Cache<B>>;
  using State = Owned<Accum<B>, typename L::template State<Accum<B>>>;
  using Gradient = Owned<Accum<B>, typename L::template Params<Accum<B>>>;
  using In = Signal<B, typename L::In>;
  using Out = Signal<B, typename L::Out>;

  struct Operands {
    Params params;
    In x;
    State start;
    Out weights;
    DropoutStreams dropout{};

    Operands part(dim_t first, dim_t count, const State& from) const {
      return {params, x.part(first, count), from, weights.part(first, count), {}};
    }
  };
  struct Result {
    Out y;
    State state;
    Gradient dparams;
    In dx;
    State dstate;
  };

  /// Parameters away from their initial values, where many gradients vanish; a state as a few tokens leave it.
  static Operands operands(const Case& c, const Options& o) {
    Draw draw(c.seed);
    Operands all{Params(), In(c.seq), State({c.seq.batch, 1}), Out(c.seq), {o.dropout, {c.seed}}};
    all.params.reset(c.seed);
    shake(all.params, [&](T x) { return x + T(0.3 * draw.normal() * (c.wild && draw.once_in(8) ? 30 : 1)); });
    fill_random(all.x, draw, c.wild, o.vocabulary);
    fill_random(all.weights, draw, false, o.vocabulary);
    all.start.reset();
    In before({c.seq.batch, 3});
    fill_random(before, draw, c.wild, o.vocabulary);
    Context<B> ctx;
    Cache cache({c.seq.batch, 3});
    L::forward(ctx, all.params, before.view(), cache.view(), all.start.view());
    return all;
  }
  /// Every leaf's scalars become f(scalar); the zeros between leaves stay.
  template <class Machine, class P, class F>
  static void shake(Owned<Machine, P>& bundle, F&& f) {
    auto host = bundle.download();
    for (const Leaf& leaf : bundle.leaves())
      for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i)
        host[std::size_t(i)] = static_cast<typename Machine::scalar>(f(host[std::size_t(i)]));
    Machine::upload(bundle.data(), host.data(), bundle.size());
  }

  static Out forward(Operands& o) {
    const Seq seq = seq_of(o.x.view());
    Context<B> ctx;
    ctx.dropout = o.dropout;
    Cache cache(seq);
    State state = o.start;
    return Out(seq, L::forward(ctx, o.params, o.x.view(), cache.view(), state.view()));
  }
  /// dfinal: the gradient of the final state, none where it is missing.
  static Result both_ways(Operands& o, const State* dfinal = nullptr) {
    const Seq seq = seq_of(o.x.view());
    Context<B> ctx;
    ctx.dropout = o.dropout;
    Cache cache(seq);
    State state = o.start;
    auto y = L::forward(ctx, o.params, o.x.view(), cache.view(), state.view());
    Result r{Out(seq, y), std::move(state), Gradient(), In(seq), dfinal ? *dfinal : State({seq.batch, 1})};
    auto weights = o.weights;  // a layer may use dy's memory
    L::backward(ctx, o.params, cache.view(), weights.view(), r.dx.view(), r.dparams.view(), r.dstate.view());
    return r;
  }
};

/// Relative rounding error to be expected of a layer: each number is made of `flops` per channel and, as a gradient, of
/// a sum over all tokens; n roundings that know nothing of each other grow like sqrt(n) u, and beyond four times that
/// less often than once in a thousand (Higham and Mary 2019, "A new approach to probabilistic rounding error
/// analysis"). Where numbers are stored shortened, what a sum adds up has been rounded once each, which is no more in
/// the sum; but one number follows from another through all the tensors that are kept, forwards and back.
template <class L, class B>
double rounding(Seq seq) {
  using T = typename B::scalar;
  using N = compute_of<T>;
  const auto unit = [](auto limits) { return double(limits.epsilon()) / 2; };
  const double operations = double(L::flops) / double(Signal<B, typename L::Out>::unit);
  const double computed = std::sqrt(operations + double(seq.tokens()) + 1) * unit(std::numeric_limits<N>());
  if constexpr (std::is_same_v<T, N>) return computed;
  typename L::template Cache<B> kept{};
  int tensors = 1;
  for_each_leaf([&](auto&, auto&, auto&) { ++tensors; }, kept);
  return computed + std::sqrt(2. * tensors) * unit(std::numeric_limits<T>());
}

}  // namespace rwkv::testing
