#pragma once
#include <array>

#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/reduce.hpp>

namespace rwkv {

/// What a mix is the weight of in a lerp of a token with the one before it: versions 4 and 5 store that of the token,
/// versions 6 and 7 that of the one before.
enum class MixOf { current, previous };

namespace detail {

/// The weight of the current token.
template <MixOf Of, class L>
RWKV_HD L current_weight(L mix) {
  return Of == MixOf::current ? mix : scalar_of<L>(1) - mix;
}

/// All lerps of a token with the one before it, in one pass: out_n = before + (x - before) mix_n.
template <MixOf Of, class T, dim_t C, int Mixes>
struct TokenShiftForward {
  static constexpr dim_t row_length = C;
  dim_t time;
  const T* x;
  const compute_of<T>* last;
  std::array<const T*, Mixes> mix;
  std::array<T*, Mixes> out;
  RWKV_HD void operator()(dim_t bt, auto c) const {
    const auto i = bt * C + c;
    const auto before = bt % time == 0 ? load(last, bt / time * C + c) : load(x, i - C);
    const auto step = load(x, i) - before;
    for (int n = 0; n < Mixes; ++n) store(out[n], i, before + step * current_weight<Of>(load(mix[n], c)));
  }
};

template <class T, dim_t C>
struct KeepLast {
  static constexpr dim_t row_length = C;
  dim_t time;
  const T* x;
  compute_of<T>* last;
  RWKV_HD void operator()(dim_t b, auto c) const { store(last, b * C + c, load(x, (b * time + time - 1) * C + c)); }
};

/// The backward pass through time, a span of tokens in a step, the last span first. A token's gradient comes from its
/// own lerps (mix) and from those of the token after it (1 - mix).
template <MixOf Of, class T, dim_t C, int Mixes>
struct TokenShiftBackward {
  using Number = compute_of<T>;
  static constexpr dim_t row_length = C;
  dim_t time;
  const T* x;
  const Number* start;
  std::array<const T*, Mixes> mix, dout;
  T* dx;
  Number *dlast, *sums;  // sums (batch, Mixes, C)
  RWKV_HD void operator()(dim_t b, auto c, dim_t step) const {
    using L = At<T, decltype(c)>;
    const dim_t first = (Seq{1, time}.spans() - 1 - step) * span, end = first + span < time ? first + span : time;
    L mix_c[Mixes], sum[Mixes];
    for (int n = 0; n < Mixes; ++n) {
      mix_c[n] = current_weight<Of>(load(mix[n], c));
      sum[n] = step == 0 ? L{} : load(sums, (b * Mixes + n) * C + c);
    }
    const auto to_before = [&](dim_t t) {
      L total{};
      for (int n = 0; n < Mixes; ++n) total += (Number(1) - mix_c[n]) * load(dout[n], (b * time + t) * C + c);
      return total;
    };
    L from_after = end == time ? load(dlast, b * C + c) : to_before(end);
    for (dim_t t = end; t-- > first;) {
      const auto i = (b * time + t) * C + c;
      const L change = load(x, i) - (t == 0 ? load(start, b * C + c) : load(x, i - C));
      L dx_t = from_after;
      from_after = L{};
      for (int n = 0; n < Mixes; ++n) {
        const L d = load(dout[n], i);
        dx_t += mix_c[n] * d;
        from_after += (Number(1) - mix_c[n]) * d;
        sum[n] += d * (Of == MixOf::current ? change : -change);
      }
      store(dx, i, dx_t);
    }
    for (int n = 0; n < Mixes; ++n) store(sums, (b * Mixes + n) * C + c, sum[n]);
    if (first == 0) store(dlast, b * C + c, from_after);
  }
};

}  // namespace detail

/// Token shift: out_n = x mix_n + before (1 - mix_n) for Mixes mixes of the same x, where `before` is the token before;
/// or, where mixes are of the previous token, out_n = x + (before - x) mix_n. `last` (batch, C) is the token before the
/// first, and is left as the last of x.
template <class B, MixOf Of = MixOf::current, dim_t C, std::size_t Mixes>
void token_shift_forward(Scratch<B>&, std::array<Tensor<B, 1, 1, C>, Mixes> mix, Tensor<B, Batch, Time, C> x,
                         Tensor<Accum<B>, Batch, C> last, std::array<Tensor<B, Batch, Time, C>, Mixes> out) {
  using T = typename B::scalar;
  if (x.size() == 0) return;
  detail::TokenShiftForward<Of, T, C, Mixes> kernel{x.seq.time, x.data, last.data, {}, {}};
  for (std::size_t n = 0; n < Mixes; ++n) kernel.mix[n] = mix[n].data, kernel.out[n] = out[n].data;
  B::for_each(x.seq.tokens(), C, kernel);
  B::for_each(x.seq.batch, C, detail::KeepLast<T, C>{x.seq.time, x.data, last.data});
}

/// dx is written and dmix added to; `start` is the token before the first as forward met it. dlast comes in as the
/// gradient of the last token kept, and goes out as that of `start`. dx may not be one of dout.
template <class B, MixOf Of = MixOf::current, dim_t C, std::size_t Mixes>
void token_shift_backward(Scratch<B>& scratch, std::array<Tensor<B, 1, 1, C>, Mixes> mix, Tensor<B, Batch, Time, C> x,
                          Tensor<Accum<B>, Batch, C> start, std::array<Tensor<B, Batch, Time, C>, Mixes> dout,
                          Tensor<B, Batch, Time, C> dx, std::array<Tensor<Accum<B>, 1, 1, C>, Mixes> dmix,
                          Tensor<Accum<B>, Batch, C> dlast) {
  using T = typename B::scalar;
  if (x.size() == 0) return;
  const auto frame = scratch.frame();
  auto* sums = scratch.accum(x.seq.batch * Mixes * C);
  detail::TokenShiftBackward<Of, T, C, Mixes> kernel{x.seq.time, x.data, start.data, {}, {}, dx.data, dlast.data, sums};
  for (std::size_t n = 0; n < Mixes; ++n) kernel.mix[n] = mix[n].data, kernel.dout[n] = dout[n].data;
  B::for_each_step(x.seq.batch, C, x.seq.spans(), kernel);
  for (std::size_t n = 0; n < Mixes; ++n) add_rows<B>(x.seq.batch, C, Mixes * C, sums + n * C, dmix[n].data);
}

}  // namespace rwkv

#include <rwkv/ops/gpu/token_shift.hpp>
