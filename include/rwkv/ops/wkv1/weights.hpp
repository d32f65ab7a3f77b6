#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/reduce.hpp>

// The matrix that mixes tokens in RWKV-1, W[t, s] = w[Window - 1 - (t - s)] alpha[s] beta[t] for s <= t, else 0. Rows
// are the tokens of a call, the first of which is number `first` of its sequence; columns are all tokens so far.
namespace rwkv::detail {

/// Zeros after a head's w, so that a token that is still to come weighs nothing.
template <class T>
struct PadWeights {
  dim_t window;
  const T* w;
  compute_of<T>* padded;  // 2 window
  RWKV_HD void operator()(dim_t row, auto i) const {
    store(padded, row * window + i, row == 0 ? load(w, i) : At<T, decltype(i)>{});
  }
};

template <class T>
struct MixWeights {
  dim_t window, first, columns;
  const compute_of<T>* padded;
  const T *alpha, *beta;
  compute_of<T>* w;
  RWKV_HD void operator()(dim_t t, auto s) const {
    const auto base = load(padded, window - 1 - (first + t) + s);
    store(w, t * columns + s, base * load(alpha, s) * load(beta, first + t));
  }
};

/// dbeta[t] += the sum over s of dW base alpha.
template <class T>
struct MixWeightsBeta {
  dim_t window, first, columns;
  const compute_of<T>* padded;
  const T* alpha;
  const compute_of<T>* dw;
  compute_of<T>* dbeta;
  RWKV_HD void operator()(dim_t t) const {
    compute_of<T> sum = 0;
    for (dim_t s = 0; s <= first + t; ++s)
      sum += dw[t * columns + s] * padded[window - 1 - (first + t) + s] * load(alpha, s);
    dbeta[first + t] += sum;
  }
};
/// What every pair of tokens gives to alpha, in place of dW, and to w, in rows of 2 window where equal distances lie
/// under each other.
template <class T>
struct MixWeightsPairs {
  dim_t window, first, columns;
  const compute_of<T>* padded;
  const T *alpha, *beta;
  compute_of<T>*dw, *skewed;
  RWKV_HD void operator()(dim_t t, auto s) const {
    const auto at = window - 1 - (first + t) + s;
    const auto to_both = load(dw, t * columns + s) * load(beta, first + t);
    store(skewed, t * 2 * window + at, to_both * load(alpha, s));
    store(dw, t * columns + s, to_both * load(padded, at));
  }
};

/// Writes W (time, first + time) of one head.
template <class B>
void mix_weights(dim_t window, dim_t first, dim_t time, const compute_of<typename B::scalar>* padded,
                 const typename B::scalar* alpha, const typename B::scalar* beta, compute_of<typename B::scalar>* w) {
  using T = typename B::scalar;
  const dim_t columns = first + time;
  B::for_each(time, columns, MixWeights<T>{window, first, columns, padded, alpha, beta, w});
}
/// dw, dalpha, dbeta of one head += those of dW (time, first + time), which is used up.
template <class B>
void mix_weights_backward(rwkv::Scratch<B>& scratch, dim_t window, dim_t first, dim_t time,
                          const compute_of<typename B::scalar>* padded, const typename B::scalar* alpha,
                          const typename B::scalar* beta, compute_of<typename B::scalar>* dweights,
                          compute_of<typename B::scalar>* dw, compute_of<typename B::scalar>* dalpha,
                          compute_of<typename B::scalar>* dbeta) {
  const auto frame = scratch.frame();
  using T = typename B::scalar;
  using Number = compute_of<T>;
  const dim_t columns = first + time;
  Number* skewed = scratch.accum(time * 2 * window);
  Accum<B>::fill(skewed, time * 2 * window, Number(0));
  B::for_each_row(time, MixWeightsBeta<T>{window, first, columns, padded, alpha, dweights, dbeta});
  B::for_each(time, columns, MixWeightsPairs<T>{window, first, columns, padded, alpha, beta, dweights, skewed});
  add_rows<B>(time, columns, columns, dweights, dalpha);
  add_rows<B>(time, window, 2 * window, skewed, dw);
}

}  // namespace rwkv::detail
