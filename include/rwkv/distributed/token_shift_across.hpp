#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/distributed/point_to_point.hpp>
#include <rwkv/ops/token_shift.hpp>

// Token shift over stretches of a text on several ranks: all that a rank needs of the one before it is its last token.
// What is made of it is no concern of ranks, so these stand beside the shifts of all versions. A row is known before
// anything is received, unless a rank has no tokens: then what it receives it hands on.
namespace rwkv {
namespace detail {

/// dx of the last token += drow.
template <class T, dim_t C>
struct AddToLast {
  dim_t time;
  const compute_of<T>* drow;
  T* dx;
  RWKV_HD void operator()(dim_t b, auto c) const {
    const auto i = (b * time + time - 1) * C + c;
    store(dx, i, load(dx, i) + load(drow, b * C + c));
  }
};

}  // namespace detail

/// Before a shift: `last` becomes the last token before this rank's. On rank 0 it is that already.
template <class B, dim_t C, PointToPoint<Accum<B>> Ranks>
void token_shift_across_forward(Ranks& ranks, Scratch<B>& scratch, Tensor<B, Batch, Time, C> x,
                                Tensor<Accum<B>, Batch, C> last) {
  using A = Accum<B>;
  const bool receives = ranks.rank() > 0, sends = ranks.rank() + 1 < ranks.size(), some = x.seq.time > 0;
  const auto frame = scratch.frame();
  const dim_t n = last.size();
  auto* const own = scratch.accum(n);
  if (sends && some) {
    B::for_each(x.seq.batch, C, detail::KeepLast<typename B::scalar, C>{x.seq.time, x.data, own});
    ranks.template send<A>(own, n, ranks.rank() + 1);
  }
  if (receives) ranks.template receive<A>(last.data, n, ranks.rank() - 1);
  if (sends && !some) ranks.template send<A>(last.data, n, ranks.rank() + 1);
}

/// After a shift's backward, which must have begun with a dlast of 0 on every rank but the last: adds to dx what the
/// next rank's first token makes of this one's last. dlast stays the gradient of the token before this rank's.
template <class B, dim_t C, PointToPoint<Accum<B>> Ranks>
void token_shift_across_backward(Ranks& ranks, Scratch<B>& scratch, Tensor<B, Batch, Time, C> dx,
                                 Tensor<Accum<B>, Batch, C> dlast) {
  using A = Accum<B>;
  const bool receives = ranks.rank() + 1 < ranks.size(), sends = ranks.rank() > 0, some = dx.seq.time > 0;
  const auto frame = scratch.frame();
  const dim_t n = dlast.size();
  auto* const from_next = some ? scratch.accum(n) : dlast.data;
  if (sends && some) ranks.template send<A>(dlast.data, n, ranks.rank() - 1);
  if (receives) ranks.template receive<A>(from_next, n, ranks.rank() + 1);
  if (receives && some)
    B::for_each(dx.seq.batch, C, detail::AddToLast<typename B::scalar, C>{dx.seq.time, from_next, dx.data});
  if (sends && !some) ranks.template send<A>(dlast.data, n, ranks.rank() - 1);
}

}  // namespace rwkv
