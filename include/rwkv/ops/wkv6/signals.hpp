#pragma once
#include <rwkv/ops/heads.hpp>

namespace rwkv::wkv6 {

using heads::OverTime, heads::Starts, heads::State;

/// What WKV-5 and 6 are made from, for H heads of Size channels, or the gradients of that. Decay is (Batch, Time, H *
/// Size) in WKV-6, (H * Size) in WKV-5, Bonus is (H * Size).
template <class B, dim_t H, dim_t Size, class Decay, class Bonus>
struct Signals {
  using Signal = Tensor<B, Batch, Time, H * Size>;
  static constexpr bool still = Decay::shape::rank == 1;  // one decay for all tokens
  Signal r, k, v;
  Decay w;
  Bonus u;

  RWKV_HD Seq seq() const { return r.seq; }
  RWKV_HD dim_t heads() const { return r.seq.batch * H; }  // of all sequences
  /// The place of a token's first channel; heads are counted through all sequences.
  RWKV_HD dim_t at(dim_t head, dim_t t) const { return ((head / H * r.seq.time + t) * H + head % H) * Size; }
  /// The same among parameters, and among decays.
  RWKV_HD dim_t parameter(dim_t head) const { return head % H * Size; }
  RWKV_HD dim_t decay(dim_t head, dim_t t) const { return still ? parameter(head) : at(head, t); }
  /// The place of the state of a head before a span, among those that are kept.
  RWKV_HD dim_t start(dim_t head, dim_t n) const {
    return ((head / H * r.seq.spans() + n) * H + head % H) * Size * Size;
  }
};

/// What a head, or a block of its time, adds to the gradients of the bonus and of a decay that does not change: (Batch,
/// H, blocks, 2, Size), written whole.
template <class T, dim_t Size>
struct Sums {
  T* data;
  RWKV_HD T* bonus(dim_t n) const { return data + n * 2 * Size; }
  RWKV_HD T* decay(dim_t n) const { return bonus(n) + Size; }
};

/// Adds the sums of the sequences and blocks, the first to the last.
template <class B, dim_t H, dim_t Size>
struct AddSums {
  using T = typename Accum<B>::scalar;
  dim_t batch;
  const T* sums;  // the first sequence's, of the bonus or the decay
  T* to;
  dim_t blocks = 1;

  RWKV_HD void operator()(dim_t h, auto c) const {
    for (dim_t b = 0; b < batch; ++b)
      for (dim_t n = (b * H + h) * blocks, end = n + blocks; n < end; ++n)
        store(to, c + h * Size, load(to, c + h * Size) + load(sums, c + n * 2 * Size));
  }
};

}  // namespace rwkv::wkv6
