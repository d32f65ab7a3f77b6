#pragma once
#include <rwkv/core/accum.hpp>
#include <rwkv/ops/attention/reference.hpp>
#include <rwkv/ops/copy_as.hpp>

namespace rwkv::detail {

/// Attention of a machine of reduced precision, by the one of full precision: operands are widened first and results
/// rounded afterwards, which moves numbers as often as there are tokens, where attention multiplies as often as there
/// are pairs of them.
template <class B, dim_t D, class Wide>
struct WidenedAttention {
  using T = typename B::scalar;
  using Number = compute_of<T>;

  template <class Drops = KeepAll>
  static void forward(rwkv::Scratch<B>& scratch, const AttentionRow<T, D, Drops>& op) {
    const auto frame = scratch.frame();
    const Numbers all{scratch, op.history.seq.tokens() * op.history.heads * D};
    Number* const y = all.take();
    Wide::template forward<Drops>(
        scratch, {op.history, all.widen(op.q), all.widen(op.k), all.widen(op.v), y, op.softmax, op.drops});
    all.round(y, op.y);
  }
  template <class Drops = KeepAll>
  static void backward(rwkv::Scratch<B>& scratch, const AttentionQueryGradient<T, D, Drops>& op, Keys<T> dk,
                       Keys<T> dv) {
    const auto frame = scratch.frame();
    const Numbers all{scratch, op.history.seq.tokens() * op.history.heads * D};
    Number *const dq = all.take(), *const dk_now = all.take(), *const dv_now = all.take();
    Wide::template backward<Drops>(scratch,
                                   {op.history, all.widen(op.q), all.widen(op.k), all.widen(op.v), all.widen(op.y),
                                    op.softmax, all.widen(op.dy), dq, nullptr, op.drops},
                                   {dk_now, dk.cached}, {dv_now, dv.cached});
    all.round(dq, op.dq), all.round(dk_now, dk.now), all.round(dv_now, dv.now);
  }

 private:
  /// Memory for as many numbers as a call has of each kind.
  struct Numbers {
    rwkv::Scratch<B>& scratch;
    dim_t size;

    Number* take() const { return scratch.accum(size); }
    const Number* widen(const T* x) const {
      Number* const wide = take();
      copy_as<B>(wide, x, size);
      return wide;
    }
    Keys<const Number> widen(const Keys<const T>& x) const { return {widen(x.now), x.cached}; }
    void round(const Number* wide, T* x) const { copy_as<B>(x, wide, size); }
  };
};

}  // namespace rwkv::detail
