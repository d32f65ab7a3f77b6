#pragma once
#include <array>

#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/affine.hpp>

// Token shift whose mixes depend on the token (RWKV-6, arXiv 2404.05892): out_n = x + (before - x) (mix_n + m_n), where
// `before` is the token before and m_n is given for every token.
namespace rwkv {
namespace detail {

template <class T, dim_t C, int Mixes>
struct DependentShift {
  using Number = compute_of<T>;
  dim_t time, tokens;
  const T* x;
  const Number* start;  // the tokens before the first
  const T* m;           // (Mixes, tokens, C)
  std::array<const T*, Mixes> mix;

  RWKV_HD auto change(dim_t bt, auto c) const {
    const auto i = bt * C + c;
    return (bt % time == 0 ? load(start, bt / time * C + c) : load(x, i - C)) - load(x, i);
  }
  RWKV_HD auto weight(int n, dim_t bt, auto c) const { return load(mix[n], c) + load(m, (n * tokens + bt) * C + c); }
};

template <class T, dim_t C, int Mixes>
struct DependentShiftForward {
  DependentShift<T, C, Mixes> of;
  std::array<T*, Mixes> out;
  RWKV_HD void operator()(dim_t bt, auto c) const {
    const auto i = bt * C + c;
    const auto change = of.change(bt, c), x = load(of.x, i);
    for (int n = 0; n < Mixes; ++n) store(out[n], i, x + change * of.weight(n, bt, c));
  }
};

/// dm of every token.
template <class T, dim_t C, int Mixes>
struct DependentShiftMixes {
  DependentShift<T, C, Mixes> of;
  std::array<const T*, Mixes> dout;
  T* dm;
  RWKV_HD void operator()(dim_t bt, auto c) const {
    const auto change = of.change(bt, c);
    for (int n = 0; n < Mixes; ++n) store(dm, (n * of.tokens + bt) * C + c, change * load(dout[n], bt * C + c));
  }
};
/// Adds to dx what comes from a token's own lerps and from those of the token after it.
template <class T, dim_t C, int Mixes>
struct DependentShiftInputs {
  DependentShift<T, C, Mixes> of;
  std::array<const T*, Mixes> dout;
  T* dx;
  RWKV_HD void operator()(dim_t bt, auto c) const {
    const auto i = bt * C + c;
    auto total = load(dx, i);
    for (int n = 0; n < Mixes; ++n) total = total + (compute_of<T>(1) - of.weight(n, bt, c)) * load(dout[n], i);
    if ((bt + 1) % of.time != 0)
      for (int n = 0; n < Mixes; ++n) total = total + of.weight(n, bt + 1, c) * load(dout[n], i + C);
    store(dx, i, total);
  }
};
/// Adds to the gradient of the token before the first.
template <class T, dim_t C, int Mixes>
struct DependentShiftStart {
  DependentShift<T, C, Mixes> of;
  std::array<const T*, Mixes> dout;
  compute_of<T>* dstart;
  RWKV_HD void operator()(dim_t b, auto c) const {
    auto total = load(dstart, b * C + c);
    for (int n = 0; n < Mixes; ++n) total = total + of.weight(n, b * of.time, c) * load(dout[n], b * of.time * C + c);
    store(dstart, b * C + c, total);
  }
};

template <class T, class B, dim_t C, std::size_t Mixes>
DependentShift<T, C, int(Mixes)> dependent_shift(const std::array<Tensor<B, 1, 1, C>, Mixes>& mix,
                                                 Tensor<B, Batch, Time, C> x, Tensor<Accum<B>, Batch, C> start,
                                                 const T* m) {
  DependentShift<T, C, int(Mixes)> of{x.seq.time, x.seq.tokens(), x.data, start.data, m, {}};
  for (std::size_t n = 0; n < Mixes; ++n) of.mix[n] = mix[n].data;
  return of;
}
template <class T, class V, std::size_t Mixes>
std::array<T*, Mixes> pointers(const std::array<V, Mixes>& views) {
  std::array<T*, Mixes> all;
  for (std::size_t n = 0; n < Mixes; ++n) all[n] = views[n].data;
  return all;
}

}  // namespace detail

/// out from x, the tokens before the first, and m, (Mixes, tokens, C).
template <class B, dim_t C, std::size_t Mixes>
void dependent_shift_forward(std::array<Tensor<B, 1, 1, C>, Mixes> mix, Tensor<B, Batch, Time, C> x,
                             Tensor<Accum<B>, Batch, C> start, const typename B::scalar* m,
                             std::array<Tensor<B, Batch, Time, C>, Mixes> out) {
  using T = typename B::scalar;
  B::for_each(x.seq.tokens(), C,
              detail::DependentShiftForward<T, C, int(Mixes)>{detail::dependent_shift<T, B>(mix, x, start, m),
                                                              detail::pointers<T>(out)});
}
/// Writes dm, (Mixes, tokens, C), and adds to dmix.
template <class B, dim_t C, std::size_t Mixes>
void dependent_shift_backward_mixes(Scratch<B>& scratch, std::array<Tensor<B, 1, 1, C>, Mixes> mix,
                                    Tensor<B, Batch, Time, C> x, Tensor<Accum<B>, Batch, C> start,
                                    const typename B::scalar* m, std::array<Tensor<B, Batch, Time, C>, Mixes> dout,
                                    typename B::scalar* dm, std::array<Tensor<Accum<B>, 1, 1, C>, Mixes> dmix) {
  using T = typename B::scalar;
  B::for_each(x.seq.tokens(), C,
              detail::DependentShiftMixes<T, C, int(Mixes)>{detail::dependent_shift<T, B>(mix, x, start, m),
                                                            detail::pointers<const T>(dout), dm});
  for (std::size_t n = 0; n < Mixes; ++n)
    if (dmix[n].data)
      bias_backward<B>(scratch, Tensor<B, Batch, Time, C>{dm + n * std::size_t(x.size()), x.seq},
                       Tensor<Accum<B>, C>{dmix[n].data, {}});
}
/// Adds to dx, and to the gradient of the tokens before the first.
template <class B, dim_t C, std::size_t Mixes>
void dependent_shift_backward_inputs(std::array<Tensor<B, 1, 1, C>, Mixes> mix, Tensor<B, Batch, Time, C> x,
                                     Tensor<Accum<B>, Batch, C> start, const typename B::scalar* m,
                                     std::array<Tensor<B, Batch, Time, C>, Mixes> dout, Tensor<B, Batch, Time, C> dx,
                                     Tensor<Accum<B>, Batch, C> dstart) {
  using T = typename B::scalar;
  if (x.size() == 0) return;
  const auto of = detail::dependent_shift<T, B>(mix, x, start, m);
  const auto from = detail::pointers<const T>(dout);
  B::for_each(x.seq.tokens(), C, detail::DependentShiftInputs<T, C, int(Mixes)>{of, from, dx.data});
  B::for_each(x.seq.batch, C, detail::DependentShiftStart<T, C, int(Mixes)>{of, from, dstart.data});
}

}  // namespace rwkv
