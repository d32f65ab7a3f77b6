#pragma once
#include <rwkv/layers/layer.hpp>

// What a layer lacks, said in a sentence where it is composed or made a model of, and nothing else: what is built from
// it stands on Incomplete.
namespace rwkv::detail {

/// The layers that a composer is made of.
template <class... Ls>
struct Layers {};

/// The shape that a layer takes or, returning = true, gives; where that is missing, the other one.
template <bool returning, class L>
constexpr auto shape_of() {
  if constexpr (returning && requires { typename L::Out; })
    return std::type_identity<typename L::Out>{};
  else if constexpr (requires { typename L::In; })
    return std::type_identity<typename L::In>{};
  else if constexpr (requires { typename L::Out; })
    return std::type_identity<typename L::Out>{};
  else
    return std::type_identity<Shape<Batch, Time, 1>>{};
}

/// Stands for a layer that lacks something.
template <class L>
struct Incomplete {
  using In = typename decltype(shape_of<false, L>())::type;
  using Out = typename decltype(shape_of<true, L>())::type;
  static constexpr dim_t flops = 0;
  template <class B>
  using Params = Empty;
  template <class B>
  using Cache = Empty;
  template <class B>
  using State = Empty;
  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Empty&, TensorOf<B, In>, Empty&, Empty&);
  template <class B>
  static void backward(Context<B>&, const Empty&, const Empty&, TensorOf<B, Out>, TensorOf<B, In>, Empty&, Empty&);
};

/// Says what a layer lacks. A function, since a class that a compiler has complained of makes it complain of its users.
template <class L>
void complain() {
  static_assert(
      requires { typename L::In; }, "a layer lacks `In`: say `using In = Shape<Batch, Time, ...>`, what it takes");
  static_assert(
      requires { typename L::Out; }, "a layer lacks `Out`: say `using Out = Shape<Batch, Time, ...>`, what it returns");
  static_assert(
      requires { L::flops; }, "a layer lacks `flops`: say `static constexpr dim_t flops`, its operations per token");
  static_assert(
      requires { typename L::template Params<Sizes>; },
      "a layer lacks `Params<B>`: what it learns is a bundle, `Empty` if it learns nothing");
  static_assert(
      requires { typename L::template Cache<Sizes>; },
      "a layer lacks `Cache<B>`: what backward needs is a bundle, `Empty` if it needs nothing");
  static_assert(
      requires { typename L::template State<Sizes>; },
      "a layer lacks `State<B>`: what the next token needs is a bundle, `Empty` if it needs nothing");
}
template <class L>
concept Complete = requires {
  typename L::In;
  typename L::Out;
  L::flops;
  typename L::template Params<Sizes>;
  typename L::template Cache<Sizes>;
  typename L::template State<Sizes>;
};

template <class L>
struct CheckedLayer {
  using type = L;
};
template <class L>
requires(!Complete<L>) struct CheckedLayer<L> {
  using said = std::integral_constant<void (*)(), &complain<L>>;
  using type = Incomplete<L>;
};
/// L, or Incomplete after saying what it lacks.
template <class L>
using checked = typename CheckedLayer<L>::type;

/// Says what the calls of a layer, or of one that it is composed of, lack on machine B.
template <class B, class L>
void complain_of_calls() {
  static_assert(RunsForward<B, L>,
                "a layer's `forward` must be static and take (Context<B>&, const Params<B>& p, TensorOf<B, In> x, "
                "Cache<B>& c, State<Accum<B>>& s), and return TensorOf<B, Out>");
  static_assert(RunsBackward<B, L>,
                "a layer's `backward` must be static and take (Context<B>&, const Params<B>& p, const Cache<B>& c, "
                "TensorOf<B, Out> dy, TensorOf<B, In> dx, Params<Accum<B>>& dp, State<Accum<B>>& ds), and return void");
}
template <class L>
concept Composes = requires {
  typename L::composes;
};
template <class B, class L>
struct CheckedCalls {};
template <class B, class L>
requires(!Composes<L> && !(RunsForward<B, checked<L>> && RunsBackward<B, checked<L>>)) struct CheckedCalls<B, L> {
  using said = std::integral_constant<void (*)(), &complain_of_calls<B, checked<L>>>;
};
template <class B, class List>
struct CheckedList;
template <class B, class... Ls>
struct CheckedList<B, Layers<Ls...>> {
  static_assert(((sizeof(CheckedCalls<B, Ls>) > 0) && ...));
};
template <class B, Composes L>
struct CheckedCalls<B, L> : CheckedList<B, typename L::composes> {};

}  // namespace rwkv::detail
