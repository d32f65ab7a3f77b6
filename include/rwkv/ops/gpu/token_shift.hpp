#pragma once
#include <rwkv/ops/gpu/sum_rows.hpp>
#include <rwkv/ops/token_shift.hpp>

// Token shift, a thread to a channel of a span of tokens, which hands each token on to the next in a register. In
// float, bytes a token and channel: forward 4 in and 4 Mixes out, backward 4 (Mixes + 1) in and 4 out, and one more
// token of every span; operations: 2 Mixes + 1 and 6 Mixes. On an H100 (3.35 TB/s) that is at least 3.7 ns a token of
// 768 channels forwards with three lerps, and 4.6 ns backwards.
namespace rwkv {
namespace detail::grid {

/// Which channel of which span a thread has.
template <dim_t C>
struct SpanOfChannel {
  static constexpr int threads = C <= 32 ? 32 : C <= 64 ? 64 : C <= 128 ? 128 : 256;
  static constexpr dim_t groups = (C + threads - 1) / threads;
  dim_t c, part, b, first, end;

  template <Block Here>
  RWKV_HD SpanOfChannel(Here& here, dim_t time)
      : c(here.index() % groups * threads + here.thread()), part(here.index() / groups) {
    const dim_t spans = Seq{1, time}.spans();
    b = part / spans, first = part % spans * span;
    end = first + span < time ? first + span : time;
  }
  static dim_t blocks(Seq seq) { return seq.batch * seq.spans() * groups; }
};

template <MixOf Of, class T, dim_t C, int Mixes>
struct TokenShiftForward {
  static constexpr int threads = SpanOfChannel<C>::threads;
  using Number = compute_of<T>;
  dim_t time;
  const T* x;
  const Number* last;
  const T* mix[Mixes];
  T* out[Mixes];

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const SpanOfChannel<C> my(here, time);
    if (my.c >= C) return;
    Number mix_c[Mixes];
    for (int n = 0; n < Mixes; ++n) mix_c[n] = current_weight<Of>(Number(mix[n][my.c]));
    dim_t i = (my.b * time + my.first) * C + my.c;
    Number before = my.first == 0 ? last[my.b * C + my.c] : load(x, i - C);
    for (dim_t t = my.first; t < my.end; ++t, i += C) {
      const Number x_t = x[i], step = x_t - before;
      for (int n = 0; n < Mixes; ++n) store(out[n], i, before + step * mix_c[n]);
      before = x_t;
    }
  }
};

/// The backward pass over a span, the last token first; `sums` (batch, spans, Mixes, C) takes its share of dmix.
template <MixOf Of, class T, dim_t C, int Mixes>
struct TokenShiftBackward {
  static constexpr int threads = SpanOfChannel<C>::threads;
  using Number = compute_of<T>;
  dim_t time;
  const T* x;
  const Number *start, *dlast;
  const T *mix[Mixes], *dout[Mixes];
  T* dx;
  Number *dstart, *sums;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const SpanOfChannel<C> my(here, time);
    if (my.c >= C) return;
    Number mix_c[Mixes], sum[Mixes]{}, from_after = 0;
    for (int n = 0; n < Mixes; ++n) mix_c[n] = current_weight<Of>(Number(mix[n][my.c]));
    dim_t i = (my.b * time + my.end) * C + my.c;
    if (my.end == time) {
      from_after = dlast[my.b * C + my.c];
    } else {
      for (int n = 0; n < Mixes; ++n) from_after += (Number(1) - mix_c[n]) * dout[n][i];
    }
    i -= C;
    Number x_t = x[i];
    for (dim_t t = my.end; t-- > my.first; i -= C) {
      const Number before = t == 0 ? start[my.b * C + my.c] : load(x, i - C), change = x_t - before;
      Number dx_t = from_after;
      from_after = 0;
      for (int n = 0; n < Mixes; ++n) {
        const Number d = dout[n][i];
        dx_t += mix_c[n] * d;
        from_after += (Number(1) - mix_c[n]) * d;
        sum[n] += d * (Of == MixOf::current ? change : -change);
      }
      store(dx, i, dx_t);
      x_t = before;
    }
    for (int n = 0; n < Mixes; ++n) sums[(my.part * Mixes + n) * C + my.c] = sum[n];
    if (my.first == 0) dstart[my.b * C + my.c] = from_after;
  }
};

}  // namespace detail::grid

template <class B, MixOf Of = MixOf::current, dim_t C, std::size_t Mixes>
requires Grid<B>
void token_shift_forward(Scratch<B>&, std::array<Tensor<B, 1, 1, C>, Mixes> mix, Tensor<B, Batch, Time, C> x,
                         Tensor<Accum<B>, Batch, C> last, std::array<Tensor<B, Batch, Time, C>, Mixes> out) {
  using T = typename B::scalar;
  if (x.size() == 0) return;
  detail::grid::TokenShiftForward<Of, T, C, Mixes> kernel{x.seq.time, x.data, last.data, {}, {}};
  for (std::size_t n = 0; n < Mixes; ++n) kernel.mix[n] = mix[n].data, kernel.out[n] = out[n].data;
  B::launch(detail::grid::SpanOfChannel<C>::blocks(x.seq), kernel);
  B::for_each(x.seq.batch, C, detail::KeepLast<T, C>{x.seq.time, x.data, last.data});
}
template <class B, MixOf Of = MixOf::current, dim_t C, std::size_t Mixes>
requires Grid<B>
void token_shift_backward(Scratch<B>& scratch, std::array<Tensor<B, 1, 1, C>, Mixes> mix, Tensor<B, Batch, Time, C> x,
                          Tensor<Accum<B>, Batch, C> start, std::array<Tensor<B, Batch, Time, C>, Mixes> dout,
                          Tensor<B, Batch, Time, C> dx, std::array<Tensor<Accum<B>, 1, 1, C>, Mixes> dmix,
                          Tensor<Accum<B>, Batch, C> dlast) {
  using T = typename B::scalar;
  if (x.size() == 0) return;
  const auto frame = scratch.frame();
  const dim_t parts = x.seq.batch * x.seq.spans();
  auto *sums = scratch.accum(parts * Mixes * C), *dstart = scratch.accum(x.seq.batch * C);
  detail::grid::TokenShiftBackward<Of, T, C, Mixes> kernel{x.seq.time, x.data,  start.data, dlast.data, {},
                                                           {},         dx.data, dstart,     sums};
  for (std::size_t n = 0; n < Mixes; ++n) kernel.mix[n] = mix[n].data, kernel.dout[n] = dout[n].data;
  B::launch(detail::grid::SpanOfChannel<C>::blocks(x.seq), kernel);
  Accum<B>::copy(dlast.data, dstart,
                 x.seq.batch * C);  // some block still read the last token's when the first one was known
  std::array<compute_of<T>*, Mixes> to;
  for (std::size_t n = 0; n < Mixes; ++n) to[n] = dmix[n].data;
  detail::grid::sum_rows<B>(scratch, parts, C, sums, to);
}

}  // namespace rwkv
