#pragma once
#include <rwkv/core/accum.hpp>
#include <rwkv/ops/places.hpp>
#include <rwkv/ops/rows.hpp>

namespace rwkv {
namespace detail {

template <class T, dim_t C>
struct TokenScale {
  dim_t time;
  const T* scale;
  const compute_of<T>* seen;
  const T* x;
  T* y;
  RWKV_HD void operator()(dim_t bt, auto c) const {
    const dim_t position = tokens_seen(seen, bt / time) + bt % time;
    store(y, bt * C + c, load(scale, position) * load(x, bt * C + c));
  }
};
/// A position adds its tokens sequence by sequence, so that equal positions never race.
template <class T, dim_t C>
struct TokenScaleBackward {
  Seq seq;
  const compute_of<T>* seen;
  const T *x, *dy;
  compute_of<T>* dscale;
  RWKV_HD void operator()(dim_t position) const {
    for (dim_t b = 0; b < seq.batch; ++b)
      if (const dim_t t = position - tokens_seen(seen, b); t >= 0 && t < seq.time) {
        const dim_t row = (b * seq.time + t) * C;
        dscale[position] += Row<T, C>::sum([&](auto c) { return load(x, row + c) * load(dy, row + c); });
      }
  }
};

}  // namespace detail

/// y_t = scale[seen + t] x_t: a factor for every place in a sequence; the tokens are not counted.
template <class B, dim_t Positions, dim_t C>
void token_scale_forward(Tensor<B, Positions, 1> scale, Tensor<Accum<B>, Batch, 1> seen, Tensor<B, Batch, Time, C> x,
                         Tensor<B, Batch, Time, C> y) {
  B::for_each(x.seq.tokens(), C,
              detail::TokenScale<typename B::scalar, C>{x.seq.time, scale.data, seen.data, x.data, y.data});
}
/// dx is written, dscale added to; dx may be dy, since dscale comes first.
template <class B, dim_t Positions, dim_t C>
void token_scale_backward(Tensor<B, Positions, 1> scale, Tensor<Accum<B>, Batch, 1> seen, Tensor<B, Batch, Time, C> x,
                          Tensor<B, Batch, Time, C> dy, Tensor<B, Batch, Time, C> dx,
                          Tensor<Accum<B>, Positions, 1> dscale) {
  using T = typename B::scalar;
  if (dscale.data)  // trained
    B::for_each_row(Positions, detail::TokenScaleBackward<T, C>{x.seq, seen.data, x.data, dy.data, dscale.data});
  token_scale_forward<B>(scale, seen, dy, dx);
}

}  // namespace rwkv
