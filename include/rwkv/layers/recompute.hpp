#pragma once
#include <rwkv/layers/named.hpp>
#include <rwkv/layers/sequential.hpp>
#include <rwkv/ops/copy.hpp>

namespace rwkv {

/// L that keeps only its output and the state it started from, and computes the rest again in its backward pass
/// (activation checkpointing, Chen et al. 2016): memory of one L for a stack of many, for one more forward pass.
template <class... Ls>
struct Recompute {
  using L = Sequential<Ls...>;
  using composes = detail::Layers<L>;
  static constexpr dim_t flops = L::flops;
  using In = typename L::In;
  using Out = typename L::Out;

  template <class B>
  using Params = typename L::template Params<B>;
  template <class B>
  using State = typename L::template State<B>;
  template <class B>
  struct Cache {
    static constexpr int borrowed = 2;
    TensorOf<B, In> x;
    DropoutStreams dropout;  // before the call: the second time nothing else is drawn
    TensorOf<B, Out> y;
    State<Accum<B>> start;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"y"}, c.y...);
      f(Field{"start"}, c.start...);
    }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    const auto frame = ctx.scratch.frame();
    auto inner = ctx.scratch.template take_bundle<typename L::template Cache<B>>(seq_of(x));
    c.x = x;
    c.dropout = ctx.dropout;
    copy_leaves<B>(s, c.start);
    copy<B>(L::forward(ctx, p, x, inner, s), c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    const auto frame = ctx.scratch.frame();
    auto inner = ctx.scratch.template take_bundle<typename L::template Cache<B>>(seq_of(dy));
    auto state = ctx.scratch.template take_bundle<State<Accum<B>>>(seq_of(dy));
    copy_leaves<B>(c.start, state);
    const auto later = std::exchange(ctx.dropout, c.dropout);
    L::forward(ctx, p, c.x, inner, state);
    ctx.dropout = later;
    L::backward(ctx, p, inner, dy, dx, dp, ds);
  }

 private:
  template <class B>
  static void copy_leaves(const State<Accum<B>>& from, State<Accum<B>>& to) {
    for_each_leaf([](auto&, auto&, auto& a, auto& b) { Accum<B>::copy(b.data, a.data, a.size()); }, from, to);
  }
};

}  // namespace rwkv
