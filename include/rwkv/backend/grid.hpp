#pragma once
#include <concepts>

#include <rwkv/backend/backend.hpp>

// Kernels for machines whose threads work in blocks. A kernel is a functor that every thread of every block runs:
//
//   template <class T>
//   struct SumOfRow {                      // a block to a row
//     static constexpr int threads = 128;  // of a block, a power of two from 32 on
//     dim_t columns;
//     const T* x;
//     T* sums;
//     template <Block Here>
//     RWKV_HD void operator()(Here& here) const {
//       T sum = 0;
//       for (dim_t c = here.thread(); c < columns; c += threads) sum += x[here.index() * columns + c];
//       sum = reduce_block(here, sum, Plus{});  // every thread has it
//       if (here.thread() == 0) sums[here.index()] = sum;
//     }
//   };
//   B::launch(rows, SumOfRow<T>{columns, x, sums});
//
// Every thread of a block must reach each sync and reduce_block, every thread of a warp each from_lane and reduce_warp:
// none may skip it or have returned before.
// Warps that multiply matrices of bf16, on tensor cores, are a TensorBlock's: see fragments.hpp.
namespace rwkv {

/// Threads that run in step and can read each other's registers.
inline constexpr int warp = 32;

/// One thread's view of the block that it is part of.
template <class X>
concept Block = requires(X& here, float x) {
  { X::threads } -> std::convertible_to<int>;
  { here.index() } -> std::same_as<dim_t>;  // which block of the launch
  { here.thread() } -> std::same_as<int>;   // which thread of the block
  here.sync();                              // all are here, and see what the others wrote
  {
    here.template shared<float>()
    } -> std::same_as<float&>;                      // memory of the block: one object of each type, any content
  { here.from_lane(x, 1) } -> std::same_as<float>;  // x of the thread whose number differs by that bit below `warp`
};

namespace detail {
struct NoKernel {
  static constexpr int threads = warp;
  RWKV_HD void operator()(auto&) const {}
};
}  // namespace detail

/// A machine that launches kernels: so many blocks, in any order, all at once or one after the other.
template <class B>
concept Grid = Backend<B> && requires(dim_t blocks) {
  B::launch(blocks, detail::NoKernel{});
};

/// What reductions combine with.
struct Plus {
  RWKV_HD auto operator()(auto a, auto b) const { return a + b; }
};
struct Larger {
  RWKV_HD auto operator()(auto a, auto b) const { return a > b ? a : b; }
};

/// The x of a warp's threads combined, for all of them, always in the same order. X is trivially copyable, `combine`
/// commutative.
template <Block Here, class X, class Combine>
RWKV_HD X reduce_warp(Here& here, X x, const Combine& combine) {
  for (int bit = warp / 2; bit > 0; bit /= 2) x = combine(x, here.from_lane(x, bit));
  return x;
}

/// The same over a block.
template <Block Here, class X, class Combine>
RWKV_HD X reduce_block(Here& here, X x, const Combine& combine) {
  constexpr int warps = Here::threads / warp;
  x = reduce_warp(here, x, combine);
  if constexpr (warps > 1) {
    struct Parts {
      X of_warp[warps];
    };
    auto& parts = here.template shared<Parts>();
    here.sync();  // the parts of an earlier reduction have been read
    if (here.thread() % warp == 0) parts.of_warp[here.thread() / warp] = x;
    here.sync();
    x = parts.of_warp[0];
    for (int i = 1; i < warps; ++i) x = combine(x, parts.of_warp[i]);
  }
  return x;
}

}  // namespace rwkv
