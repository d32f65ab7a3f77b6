#pragma once
#include <concepts>

#include <rwkv/backend/backend.hpp>
#include <rwkv/core/accum.hpp>
#include <rwkv/core/context.hpp>
#include <rwkv/core/owned.hpp>

namespace rwkv {
namespace detail {
template <class B, class L>
concept RunsForward = requires(Context<B>& ctx, const typename L::template Params<B>& p, TensorOf<B, typename L::In> x,
                               typename L::template Cache<B>& c, typename L::template State<Accum<B>>& s) {
  { L::forward(ctx, p, x, c, s) } -> std::same_as<TensorOf<B, typename L::Out>>;
};
template <class B, class L>
concept RunsBackward = requires(Context<B>& ctx, const typename L::template Params<B>& p,
                                const typename L::template Cache<B>& c, TensorOf<B, typename L::Out> dy,
                                TensorOf<B, typename L::In> dx, typename L::template Params<Accum<B>>& dp,
                                typename L::template State<Accum<B>>& ds) {
  { L::backward(ctx, p, c, dy, dx, dp, ds) } -> std::same_as<void>;
};
}  // namespace detail

/// A layer is a stateless description of a computation, In -> Out. Its numbers live in three bundles:
///   Params  what is learned;
///   Cache   what this call's backward needs, outputs included; inputs are borrowed, not copied;
///   State   what the next token needs: forward takes it as left by the tokens before and leaves it for those after.
/// backward writes dx, adds to dp, and turns the gradient of the final state into that of the initial one (ds).
/// The state and dp are in full precision, whatever B's scalars are: there numbers add up over many tokens.
/// One forward serves training, prefill and decoding; they differ in batch, time and state only.
template <class L, class B>
concept Layer = Backend<B> && Bundle<typename L::template Params<B>> && Bundle<typename L::template Cache<B>> &&
    Bundle<typename L::template State<Accum<B>>> && detail::RunsForward<B, L> && detail::RunsBackward<B, L> &&
    requires {
  { L::flops } -> std::convertible_to<dim_t>;
};

namespace detail {
/// Which of a layer's bundles a composer is putting together.
struct ParamsOf {
  template <class L, class B>
  using of = typename L::template Params<B>;
};
struct CacheOf {
  template <class L, class B>
  using of = typename L::template Cache<B>;
};
struct StateOf {
  template <class L, class B>
  using of = typename L::template State<B>;
};

/// Stands for a machine where only sizes are asked for.
struct Sizes {
  using scalar = float;
};
}  // namespace detail

/// Learned scalars, at compile time; a tied parameter counts once.
template <class L>
consteval dim_t parameters() {
  return elements<typename L::template Params<detail::Sizes>>();
}
/// Scalars that a sequence leaves for its next token.
template <class L>
consteval dim_t state_units() {
  return elements<typename L::template State<detail::Sizes>>();
}
/// Scalars kept for backward over the given sizes.
template <class L>
constexpr dim_t cache_units(Seq seq) {
  return elements<typename L::template Cache<detail::Sizes>>(seq);
}
/// Scalars kept for backward per token of a long sequence, rounded up.
template <class L>
consteval dim_t cache_units_per_token() {
  constexpr dim_t many = span * 1024;
  return (cache_units<L>({1, many}) + many - 1) / many;
}
/// Floating-point operations of one token's forward pass in products and recurrences; a training step does about three
/// times as many. Element-wise work is left out.
template <class L>
consteval dim_t flops_per_token() {
  return L::flops;
}

}  // namespace rwkv
