#pragma once
#include <algorithm>

#include <rwkv/core/accum.hpp>
#include <rwkv/ops/attention/history.hpp>
#include <rwkv/ops/pointwise.hpp>

// The window of keys and values that a sequence leaves for its next tokens: a ring of W rows, the token of position s
// in row s % W, in full precision. `position` counts the tokens seen; it is read rounded to the nearest whole number,
// so its derivative is 0.
namespace rwkv {
namespace detail {

/// Rows that were written: all that the backward pass will read.
template <class T>
struct CopyWindow {
  History<T> history;
  const T *k, *v;
  T *to_k, *to_v;
  RWKV_HD void operator()(dim_t row, auto c) const {
    if (row % history.window >= history.before(row / history.window)) return;
    const auto i = row * history.width + c;
    store(to_k, i, load(k, i));
    store(to_v, i, load(v, i));
  }
};

/// The tokens of a call that its window keeps, the last W of every sequence, and where they lie.
template <class T>
struct KeptTokens {
  History<T> history;

  RWKV_HD dim_t each() const { return history.seq.time < history.window ? history.seq.time : history.window; }
  RWKV_HD dim_t token(dim_t n) const { return history.seq.time - each() + n % each(); }
  RWKV_HD dim_t in_call(dim_t n) const { return history.row(n / each(), token(n), 0); }
  RWKV_HD dim_t in_ring(dim_t n) const {
    const dim_t b = n / each();
    return history.ring(b, history.before(b) + token(n), 0);
  }
};
template <class T>
struct WriteWindow {
  KeptTokens<compute_of<T>> kept;
  const T *k, *v;
  compute_of<T>*ring_k, *ring_v;
  RWKV_HD void operator()(dim_t n, auto c) const {
    const auto from = kept.in_call(n) + c, to = kept.in_ring(n) + c;
    store(ring_k, to, load(k, from));
    store(ring_v, to, load(v, from));
  }
};
/// What the final window's gradient says of the call's tokens; none of it reaches the rows that they replaced.
template <class T>
struct WriteWindowBackward {
  KeptTokens<T> kept;
  T *dring_k, *dring_v, *dk, *dv;
  RWKV_HD void operator()(dim_t n, auto c) const {
    using L = At<T, decltype(c)>;
    const auto from = kept.in_ring(n) + c, to = kept.in_call(n) + c;
    store(dk, to, load(dring_k, from)), store(dring_k, from, L{});
    store(dv, to, load(dring_v, from)), store(dring_v, from, L{});
  }
};
template <class T>
struct AddKept {
  KeptTokens<compute_of<T>> kept;
  const compute_of<T>*from_k, *from_v;
  T *dk, *dv;
  RWKV_HD void operator()(dim_t n, auto c) const {
    const auto i = kept.in_call(n) + c;
    store(dk, i, load(dk, i) + load(from_k, i));
    store(dv, i, load(dv, i) + load(from_v, i));
  }
};

/// Counts on. From the second window on, whole windows are left out: the row of a token and how full the ring is do not
/// depend on them, and no count outgrows what a float holds.
template <class T>
struct AdvancePosition {
  History<T> history;
  T* position;
  RWKV_HD void operator()(dim_t b, auto) const {
    const dim_t seen = history.before(b) + history.seq.time, window = history.window;
    position[b] = T(seen < 2 * window ? seen : window + seen % window);
  }
};

template <class T, dim_t W, dim_t C>
History<T> window_history(Seq seq, const T* position) {
  return {seq, 1, C, W, position};
}

}  // namespace detail

/// Copies what a window holds, and its position; B is of full precision.
template <class B, dim_t W, dim_t C>
void window_copy(Tensor<B, Batch, W, C> k, Tensor<B, Batch, W, C> v, Tensor<B, Batch, 1> position,
                 Tensor<B, Batch, W, C> to_k, Tensor<B, Batch, W, C> to_v, Tensor<B, Batch, 1> to_position) {
  using T = typename B::scalar;
  B::copy(to_position.data, position.data, position.size());
  B::for_each(k.seq.batch * W, C,
              detail::CopyWindow<T>{detail::window_history<T, W, C>(k.seq, position.data), k.data, v.data, to_k.data,
                                    to_v.data});
}

/// Writes a call's keys and values into the window, the last W of them if there are more, and counts them.
template <class B, dim_t W, dim_t C>
void window_forward(Tensor<B, Batch, Time, C> k, Tensor<B, Batch, Time, C> v, Tensor<Accum<B>, Batch, W, C> window_k,
                    Tensor<Accum<B>, Batch, W, C> window_v, Tensor<Accum<B>, Batch, 1> position) {
  using T = typename B::scalar;
  using Number = compute_of<T>;
  const detail::KeptTokens<Number> kept{detail::window_history<Number, W, C>(k.seq, position.data)};
  B::for_each(k.seq.batch * kept.each(), C, detail::WriteWindow<T>{kept, k.data, v.data, window_k.data, window_v.data});
  B::for_each(k.seq.batch, 1, detail::AdvancePosition<Number>{kept.history, position.data});
}

/// The backward pass, in two steps around the one through attention, which writes dk and dv and adds to the window's
/// gradient. First: kept_k and kept_v take the final window's gradient of the call's tokens, and what stays there is
/// that of the initial window. `position` is the initial one; B is of full precision.
template <class B, dim_t W, dim_t C>
void window_backward(Tensor<B, Batch, 1> position, Tensor<B, Batch, W, C> dwindow_k, Tensor<B, Batch, W, C> dwindow_v,
                     Tensor<B, Batch, Time, C> kept_k, Tensor<B, Batch, Time, C> kept_v) {
  using T = typename B::scalar;
  const detail::KeptTokens<T> kept{detail::window_history<T, W, C>(kept_k.seq, position.data)};
  B::for_each(kept_k.seq.batch * kept.each(), C,
              detail::WriteWindowBackward<T>{kept, dwindow_k.data, dwindow_v.data, kept_k.data, kept_v.data});
}
/// Second: dk and dv are added what was kept.
template <class B, dim_t W, dim_t C>
void window_backward_add(Tensor<Accum<B>, Batch, Time, C> kept_k, Tensor<Accum<B>, Batch, Time, C> kept_v,
                         Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv) {
  using T = typename B::scalar;
  using Number = compute_of<T>;
  const detail::KeptTokens<Number> kept{detail::window_history<Number, W, C>(dk.seq, nullptr)};
  B::for_each(dk.seq.batch * kept.each(), C, detail::AddKept<T>{kept, kept_k.data, kept_v.data, dk.data, dv.data});
}

}  // namespace rwkv
