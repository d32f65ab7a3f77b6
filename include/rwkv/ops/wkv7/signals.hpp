#pragma once
#include <rwkv/ops/heads.hpp>

namespace rwkv::wkv7 {

using heads::OverTime, heads::Starts, heads::State;

/// What WKV-7 is made from, for H heads of Size channels, or the gradients of that.
template <class B, dim_t H, dim_t Size>
struct Signals {
  using Signal = Tensor<B, Batch, Time, H * Size>;
  Signal r, w, k, v, a, b;

  RWKV_HD Seq seq() const { return r.seq; }
  RWKV_HD dim_t heads() const { return r.seq.batch * H; }  // of all sequences
  /// The place of a token's first channel; heads are counted through all sequences.
  RWKV_HD dim_t at(dim_t head, dim_t t) const { return ((head / H * r.seq.time + t) * H + head % H) * Size; }
  /// The place of the state of a head before a span, among those that are kept.
  RWKV_HD dim_t start(dim_t head, dim_t n) const {
    return ((head / H * r.seq.spans() + n) * H + head % H) * Size * Size;
  }
};

/// What the way back needs of the way forward; null where there is none.
template <class B, dim_t H, dim_t Size>
struct Kept {
  Starts<B, H, Size> starts;
  Tensor<Accum<B>, Batch, Time, H * Size> recalled;  // sa
};

}  // namespace rwkv::wkv7
