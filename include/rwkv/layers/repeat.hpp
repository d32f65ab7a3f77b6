#pragma once
#include <rwkv/layers/sequential.hpp>

namespace rwkv {
namespace detail {
/// A name stands after the number: "0.name".
template <class L>
struct UnderNumber {
  using type = L;
};
template <class L>
requires requires {
  L::name;
}
struct UnderNumber<L> {
  using type = Sequential<L>;
};
}  // namespace detail

/// The same layer, Blocks of them, called From, From + 1, ...: one instantiation, an array of parameters, a loop. Depth
/// is data.
template <int Blocks, class Each, int From = 0>
struct Repeat {
  using L = typename detail::UnderNumber<detail::checked<Each>>::type;
  static_assert(Blocks > 0, "Repeat: at least one block");
  static_assert(SameShape<typename L::Out, typename L::In>,
                "Repeat: the repeated layer must return the shape it takes");
  using composes = detail::Layers<L>;
  static constexpr dim_t flops = Blocks * L::flops;
  using In = typename L::In;
  using Out = In;

  template <class Kind, class B>
  struct Stack {
    static constexpr bool unfolds = true;
    typename Kind::template of<L, B> at[Blocks]{};
    static constexpr void fields(auto&& f, auto&&... p) {
      for (int i = 0; i < Blocks; ++i)
        f(Field{.index = From + i, .depth = From + Blocks, .turn = Blocks > 1 ? i : -1}, p.at[i]...);
    }
  };
  template <class B>
  using Params = Stack<detail::ParamsOf, B>;
  template <class B>
  using Cache = Stack<detail::CacheOf, B>;
  template <class B>
  using State = Stack<detail::StateOf, B>;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    for (int i = 0; i < Blocks; ++i) x = L::forward(ctx, p.at[i], x, c.at[i], s.at[i]);
    return x;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    const auto frame = ctx.scratch.frame();
    const auto spare = ctx.scratch.template take<In>(seq_of(dy));
    for (int i = Blocks; i-- > 0;) {
      const auto to = i % 2 == 0 ? dx : spare;  // back and forth between two places, block 0 into dx
      L::backward(ctx, p.at[i], c.at[i], dy, to, dp.at[i], ds.at[i]);
      dy = to;
    }
  }
};

}  // namespace rwkv
