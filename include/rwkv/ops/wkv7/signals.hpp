#pragma once
#include <rwkv/core/accum.hpp>
#include <rwkv/core/view.hpp>

namespace rwkv::wkv7 {

/// What WKV-7 is made from, for H heads of N channels, or the gradients of that.
template <class B, dim_t H, dim_t N>
struct Signals {
  using Signal = Tensor<B, Batch, Time, H * N>;
  Signal r, w, k, v, a, b;

  RWKV_HD Seq seq() const { return r.seq; }
  /// The place of a token's first channel; heads are counted through all sequences.
  RWKV_HD dim_t at(dim_t head, dim_t t) const { return ((head / H * r.seq.time + t) * H + head % H) * N; }
  /// The place of the state of a head before a span, among those that are kept.
  RWKV_HD dim_t start(dim_t head, dim_t n) const { return ((head / H * r.seq.spans() + n) * H + head % H) * N * N; }
};

/// One matrix for every head of every sequence: rows are keys, columns are values.
template <class B, dim_t H, dim_t N>
using State = Tensor<Accum<B>, Batch, H, N, N>;

/// What the way back needs of the way forward; null where there is none.
template <class B, dim_t H, dim_t N>
struct Kept {
  Tensor<Accum<B>, Batch, Spans, H, N, N> starts;  // the state before every span
  Tensor<Accum<B>, Batch, Time, H * N> recalled;   // sa
};

/// How the recurrence goes over time. They differ by rounding alone.
enum class OverTime {
  automatic,   ///< whichever is the faster for these sizes
  sequential,  ///< token after token
  chunked      ///< some tokens at a time, as products of matrices, where the machine has lanes
};

}  // namespace rwkv::wkv7
