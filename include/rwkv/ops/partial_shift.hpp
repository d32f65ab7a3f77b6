#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/accum.hpp>
#include <rwkv/core/view.hpp>
#include <rwkv/ops/activation_functions.hpp>

namespace rwkv {
namespace detail {

/// The channels that come from the token before: the first half.
template <class A, class T, dim_t C>
struct PartialShift {
  dim_t time;
  const T* x;
  const compute_of<T>* last;
  T* z;
  RWKV_HD void operator()(dim_t bt, auto c) const {
    const auto i = bt * C + c;
    store(z, i, A::value(bt % time == 0 ? load(last, bt / time * (C / 2) + c) : load(x, i - C)));
  }
};
template <class A, class T, dim_t C>
struct PartialStay {
  const T* x;
  T* z;
  RWKV_HD void operator()(dim_t bt, auto c) const {
    const auto i = bt * C + C / 2 + c;
    store(z, i, A::value(load(x, i)));
  }
};
template <class T, dim_t C>
struct PartialKeep {
  dim_t time;
  const T* x;
  compute_of<T>* last;
  RWKV_HD void operator()(dim_t b, auto c) const {
    store(last, b * (C / 2) + c, load(x, ((b + 1) * time - 1) * C + c));
  }
};

/// A token's first half went to the token after it; that of the last token to the state.
template <class A, class T, dim_t C>
struct PartialShiftBackward {
  dim_t time;
  const T *x, *dz;
  const compute_of<T>* dlast;
  T* dx;
  RWKV_HD void operator()(dim_t bt, auto c) const {
    const auto i = bt * C + c;
    store(dx, i,
          bt % time == time - 1 ? load(dlast, bt / time * (C / 2) + c)
                                : activation::derivative_at<A>(load(x, i)) * load(dz, i + C));
  }
};
template <class A, class T, dim_t C>
struct PartialStayBackward {
  const T *x, *dz;
  T* dx;
  RWKV_HD void operator()(dim_t bt, auto c) const {
    const auto i = bt * C + C / 2 + c;
    store(dx, i, activation::derivative_at<A>(load(x, i)) * load(dz, i));
  }
};
template <class A, class T, dim_t C>
struct PartialKeepBackward {
  dim_t time;
  const compute_of<T>* start;
  const T* dz;
  compute_of<T>* dlast;
  RWKV_HD void operator()(dim_t b, auto c) const {
    const auto i = b * (C / 2) + c;
    store(dlast, i, activation::derivative_at<A>(load(start, i)) * load(dz, b * time * C + c));
  }
};

}  // namespace detail

/// z = A(x), the first half of the channels being those of the token before. `last` (batch, C / 2) is that half of the
/// token before the first, and is left as the last of x.
template <class B, class A, dim_t C, dim_t Half>
void partial_shift_forward(Tensor<B, Batch, Time, C> x, Tensor<Accum<B>, Batch, Half> last,
                           Tensor<B, Batch, Time, C> z) {
  using T = typename B::scalar;
  static_assert(Half == C / 2);
  if (x.size() == 0) return;
  const dim_t time = x.seq.time, tokens = x.seq.tokens();
  B::for_each(tokens, Half, detail::PartialShift<A, T, C>{time, x.data, last.data, z.data});
  B::for_each(tokens, C - Half, detail::PartialStay<A, T, C>{x.data, z.data});
  B::for_each(x.seq.batch, Half, detail::PartialKeep<T, C>{time, x.data, last.data});
}
/// dx is written; `start` is the half token before the first as forward met it. dlast comes in as the gradient of the
/// half token kept, and goes out as that of `start`. dx may not be dz.
template <class B, class A, dim_t C, dim_t Half>
void partial_shift_backward(Tensor<B, Batch, Time, C> x, Tensor<Accum<B>, Batch, Half> start,
                            Tensor<B, Batch, Time, C> dz, Tensor<B, Batch, Time, C> dx,
                            Tensor<Accum<B>, Batch, Half> dlast) {
  using T = typename B::scalar;
  if (x.size() == 0) return;
  const dim_t time = x.seq.time, tokens = x.seq.tokens();
  B::for_each(tokens, Half, detail::PartialShiftBackward<A, T, C>{time, x.data, dz.data, dlast.data, dx.data});
  B::for_each(tokens, C - Half, detail::PartialStayBackward<A, T, C>{x.data, dz.data, dx.data});
  B::for_each(x.seq.batch, Half, detail::PartialKeepBackward<A, T, C>{time, start.data, dz.data, dlast.data});
}

}  // namespace rwkv
