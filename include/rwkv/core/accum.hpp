#pragma once
#include <type_traits>

#include <rwkv/core/lanes.hpp>

namespace rwkv {
namespace detail {
template <class B, class Other>
struct RebindScalar;
template <template <class> class Machine, class T, class Other>
struct RebindScalar<Machine<T>, Other> {
  using type = Machine<Other>;
};

template <class B, class Number = compute_of<typename B::scalar>>
struct AccumOf : RebindScalar<B, Number> {};
template <class B>
struct AccumOf<B, typename B::scalar> {
  using type = B;
};
}  // namespace detail

/// Machine B in full precision: B itself, or, where B's scalars have less precision than what is computed with, the
/// same machine with scalars of full precision. What adds up over many tokens or steps is kept there, in the same
/// memory: states, gradients of parameters, statistics.
template <class B>
using Accum = typename detail::AccumOf<B>::type;

/// A machine whose scalars are shorter than what is computed with.
template <class B>
concept ReducedPrecision = !std::is_same_v<B, Accum<B>>;

}  // namespace rwkv
