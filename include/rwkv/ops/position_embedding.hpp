#pragma once
#include <limits>

#include <rwkv/core/accum.hpp>
#include <rwkv/ops/places.hpp>

namespace rwkv {
namespace detail {

/// Without a position left, a token becomes NaN.
template <class T, dim_t Positions, dim_t C>
struct AddPositions {
  dim_t time;
  const T* table;
  const compute_of<T>* seen;
  const T* x;
  T* y;
  RWKV_HD void operator()(dim_t bt, auto c) const {
    const dim_t position = tokens_seen(seen, bt / time) + bt % time;
    auto y_t = load(x, bt * C + c);
    if (position < Positions)
      y_t = y_t + load(table, position * C + c);
    else
      y_t = y_t + std::numeric_limits<compute_of<T>>::quiet_NaN();
    store(y, bt * C + c, y_t);
  }
};
/// A position adds its tokens sequence by sequence, so that equal positions never race.
template <class T, dim_t C>
struct AddPositionsBackward {
  Seq seq;
  const compute_of<T>* seen;
  const T* dy;
  compute_of<T>* dtable;
  RWKV_HD void operator()(dim_t position, auto c) const {
    const auto i = position * C + c;
    auto sum = load(dtable, i);
    for (dim_t b = 0; b < seq.batch; ++b)
      if (const dim_t t = position - tokens_seen(seen, b); t >= 0 && t < seq.time)
        sum = sum + load(dy, (b * seq.time + t) * C + c);
    store(dtable, i, sum);
  }
};

}  // namespace detail

/// y_t = x_t + table[seen + t], and counts the tokens. Error, and nothing is written, where a sequence has more tokens
/// than the table has rows; on a machine that would have to be waited for, the tokens that are too many become NaN.
template <class B, dim_t Positions, dim_t C>
void position_embedding_forward(Tensor<B, Positions, C> table, Tensor<Accum<B>, Batch, 1> seen,
                                Tensor<B, Batch, Time, C> x, Tensor<B, Batch, Time, C> y) {
  using T = typename B::scalar;
  const Seq seq = x.seq;
  if constexpr (!asynchronous<B>) detail::Places<B>(seq, seen.data).expect_room(Positions);
  B::for_each(seq.tokens(), C, detail::AddPositions<T, Positions, C>{seq.time, table.data, seen.data, x.data, y.data});
  B::for_each(seq.batch, 1, detail::CountTokens<compute_of<T>>{seq.time, seen.data});
}
/// dtable[seen + t] += dy_t, `seen` being the count before the call. dx is dy.
template <class B, dim_t Positions, dim_t C>
void position_embedding_backward(Tensor<Accum<B>, Batch, 1> seen, Tensor<B, Batch, Time, C> dy,
                                 Tensor<Accum<B>, Positions, C> dtable) {
  if (!dtable.data) return;  // not trained
  B::for_each(Positions, C,
              detail::AddPositionsBackward<typename B::scalar, C>{dy.seq, seen.data, dy.data, dtable.data});
}

}  // namespace rwkv
