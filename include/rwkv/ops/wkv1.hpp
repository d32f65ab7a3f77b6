#pragma once
#include <rwkv/ops/places.hpp>
#include <rwkv/ops/wkv1/exponent.hpp>
#include <rwkv/ops/wkv1/weights.hpp>

namespace rwkv {
namespace detail {

/// Where a token of a call stands in (batch, time, heads D) and in a window (batch, heads, Window, D).
template <class T, int H, dim_t D, dim_t Window>
struct Wkv1Places {
  dim_t time;
  const compute_of<T>* seen;
  RWKV_HD dim_t token(dim_t bh, dim_t t) const { return ((bh / H * time + t) * H + bh % H) * D; }
  RWKV_HD dim_t kept(dim_t bh, dim_t t) const { return (bh * Window + tokens_seen(seen, bh / H) + t) * D; }
  RWKV_HD dim_t by_head(dim_t bh, dim_t t) const { return (bh * time + t) * D; }
  RWKV_HD dim_t last(dim_t step) const { return (step + 1) * span < time ? (step + 1) * span : time; }
};

/// Puts e^k v into the window and sums up e^k, a span of tokens in a step.
template <class Exponent, class T, int H, dim_t D, dim_t Window>
struct Wkv1Keep {
  Wkv1Places<T, H, D, Window> at;
  const T *k, *v;
  compute_of<T>*kept, *sum, *den;
  RWKV_HD void operator()(dim_t bh, auto d, dim_t step) const {
    auto sum_t = load(sum, bh * D + d);
    for (dim_t t = step * span; t < at.last(step); ++t) {
      const auto i = at.token(bh, t) + d;
      const auto e = Exponent::value(load(k, i));
      store(kept, at.kept(bh, t) + d, e * load(v, i));
      store(den, i, sum_t = sum_t + e);
    }
    store(sum, bh * D + d, sum_t);
  }
};
template <class T, int H, dim_t D, dim_t Window>
struct Wkv1Divide {
  Wkv1Places<T, H, D, Window> at;
  const compute_of<T>*num, *den;
  T* y;
  RWKV_HD void operator()(dim_t row, auto d) const {
    const dim_t bh = row / at.time, t = row % at.time;
    const auto i = at.token(bh, t) + d;
    store(y, i, load(num, row * D + d) / load(den, i));
  }
};
/// q = dy / den, by head.
template <class T, int H, dim_t D, dim_t Window>
struct Wkv1Divided {
  Wkv1Places<T, H, D, Window> at;
  const T* dy;
  const compute_of<T>* den;
  compute_of<T>* q;
  RWKV_HD void operator()(dim_t row, auto d) const {
    const auto i = at.token(row / at.time, row % at.time) + d;
    store(q, row * D + d, load(dy, i) / load(den, i));
  }
};
/// dk and dv from the window's gradient, whose rows of this call become zeros; back through time, the last span first.
template <class Exponent, class T, int H, dim_t D, dim_t Window>
struct Wkv1Backward {
  Wkv1Places<T, H, D, Window> at;
  const T *k, *v, *y;
  const compute_of<T>* q;
  compute_of<T>*dkept, *dsum;
  T *dk, *dv;
  RWKV_HD void operator()(dim_t bh, auto d, dim_t step) const {
    const dim_t back = Seq{1, at.time}.spans() - 1 - step;
    auto dden = load(dsum, bh * D + d);
    for (dim_t t = at.last(back); t-- > back * span;) {
      const auto i = at.token(bh, t) + d, from = at.kept(bh, t) + d;
      const auto k_t = load(k, i), e = Exponent::value(k_t), dkv = load(dkept, from);
      dden = dden - load(q, at.by_head(bh, t) + d) * load(y, i);
      store(dk, i, Exponent::derivative(k_t, e) * (dkv * load(v, i) + dden));
      store(dv, i, e * dkv);
      store(dkept, from, At<T, decltype(d)>{});
    }
    store(dsum, bh * D + d, dden);
  }
};

}  // namespace detail

/// Time weights of RWKV-1, per head: w by distance (the last is that of a token itself), alpha by the token that is
/// seen, beta by the token that sees.
template <class B, int H, dim_t Window>
struct TimeWeights {
  Tensor<B, H, Window> w;
  Tensor<B, H, 1, Window> alpha;
  Tensor<B, H, Window, 1> beta;
};
/// What RWKV-1 remembers: e^k v of every token, the sum of e^k, and how many there were.
template <class B, int H, dim_t D, dim_t Window>
struct TimeWindow {
  Tensor<B, Batch, H, Window, D> kept;
  Tensor<B, Batch, H, D> sum;
  Tensor<B, Batch, 1> seen;
};

namespace detail {
/// f(h, b, first, afresh): head by head, every sequence and its place; afresh: another W than that of the one before.
template <class B, class F>
void for_each_head(int heads, dim_t batch, Places<B>& places, F&& f) {
  for (int h = 0; h < heads; ++h) {
    dim_t before = -1;
    for (dim_t b = 0; b < batch; ++b) {
      const dim_t first = places.of(b);
      f(h, b, first, first != before);
      before = first;
    }
  }
}
}  // namespace detail

/// Per head and channel, y_t = sum over s <= t of W[t, s] e^k_s v_s / sum over s <= t of e^k_s, W being made of the
/// time weights (see wkv1/weights.hpp); the divisor is not weighted. Error, and nothing is written, where a sequence
/// would have more tokens than the window. den: the divisors, for the backward pass.
template <class B, class Exponent, int H, dim_t D, dim_t Window>
void wkv1_forward(Scratch<B>& scratch, TimeWeights<B, H, Window> p, Tensor<B, Batch, Time, H * D> k,
                  Tensor<B, Batch, Time, H * D> v, TimeWindow<Accum<B>, H, D, Window> window,
                  Tensor<Accum<B>, Batch, Time, H * D> den, Tensor<B, Batch, Time, H * D> y) {
  using T = typename B::scalar;
  const Seq seq = k.seq;
  detail::Places<B> places(seq, window.seen.data);
  places.expect_room(Window);
  if (k.size() == 0) return;
  const detail::Wkv1Places<T, H, D, Window> at{seq.time, window.seen.data};
  B::for_each_step(
      seq.batch * H, D, seq.spans(),
      detail::Wkv1Keep<Exponent, T, H, D, Window>{at, k.data, v.data, window.kept.data, window.sum.data, den.data});
  const auto frame = scratch.frame();
  auto *num = scratch.accum(seq.tokens() * H * D), *w = scratch.accum(seq.time * Window),
       *padded = scratch.accum(2 * Window);
  detail::for_each_head(H, seq.batch, places, [&](int h, dim_t b, dim_t first, bool afresh) {
    if (afresh) {
      B::for_each(2, Window, detail::PadWeights<T>{Window, p.w.data + h * Window, padded});
      detail::mix_weights<B>(Window, first, seq.time, padded, p.alpha.data + h * Window, p.beta.data + h * Window, w);
    }
    Accum<B>::matmul(Op::none, Op::none, seq.time, D, first + seq.time, w, window.kept.data + (b * H + h) * Window * D,
                     num + (b * H + h) * seq.time * D, 0);
  });
  B::for_each(seq.tokens() * H, D, detail::Wkv1Divide<T, H, D, Window>{at, num, den.data, y.data});
  B::for_each(seq.batch, 1, detail::CountTokens<compute_of<T>>{seq.time, window.seen.data});
}

/// dk and dv are written, dp added to. window.kept is what forward left there, window.seen the tokens before the call;
/// den and y are forward's. dwindow comes in as the gradient of the final window and goes out as that of the initial
/// one.
template <class B, class Exponent, int H, dim_t D, dim_t Window>
void wkv1_backward(Scratch<B>& scratch, TimeWeights<B, H, Window> p, Tensor<B, Batch, Time, H * D> k,
                   Tensor<B, Batch, Time, H * D> v, TimeWindow<Accum<B>, H, D, Window> window,
                   Tensor<Accum<B>, Batch, Time, H * D> den, Tensor<B, Batch, Time, H * D> y,
                   Tensor<B, Batch, Time, H * D> dy, Tensor<B, Batch, Time, H * D> dk, Tensor<B, Batch, Time, H * D> dv,
                   TimeWeights<Accum<B>, H, Window> dp, TimeWindow<Accum<B>, H, D, Window> dwindow) {
  using T = typename B::scalar;
  const Seq seq = k.seq;
  Accum<B>::fill(dwindow.seen.data, dwindow.seen.size(), 0);
  if (k.size() == 0) return;
  const detail::Wkv1Places<T, H, D, Window> at{seq.time, window.seen.data};
  const auto frame = scratch.frame();
  dp = {scratch.gradient(dp.w), scratch.gradient(dp.alpha), scratch.gradient(dp.beta)};
  auto *q = scratch.accum(seq.tokens() * H * D), *padded = scratch.accum(2 * Window);
  auto *w = scratch.accum(seq.time * Window), *dw = scratch.accum(seq.time * Window);
  B::for_each(seq.tokens() * H, D, detail::Wkv1Divided<T, H, D, Window>{at, dy.data, den.data, q});
  dim_t gathered = -1;  // where the sequences began whose dW is gathered
  const auto give = [&](int h) {
    if (gathered >= 0)
      detail::mix_weights_backward<B>(scratch, Window, gathered, seq.time, padded, p.alpha.data + h * Window,
                                      p.beta.data + h * Window, dw, dp.w.data + h * Window, dp.alpha.data + h * Window,
                                      dp.beta.data + h * Window);
    gathered = -1;
  };
  detail::Places<B> places(seq, window.seen.data);
  detail::for_each_head(H, seq.batch, places, [&](int h, dim_t b, dim_t first, bool afresh) {
    const dim_t columns = first + seq.time, head = b * H + h;
    if (afresh) {
      give(b == 0 ? h - 1 : h);
      B::for_each(2, Window, detail::PadWeights<T>{Window, p.w.data + h * Window, padded});
      detail::mix_weights<B>(Window, first, seq.time, padded, p.alpha.data + h * Window, p.beta.data + h * Window, w);
    }
    const auto* q_b = q + head * seq.time * D;
    Accum<B>::matmul(Op::none, Op::transpose, seq.time, columns, D, q_b, window.kept.data + head * Window * D, dw,
                     afresh ? 0 : 1);
    Accum<B>::matmul(Op::transpose, Op::none, columns, D, seq.time, w, q_b, dwindow.kept.data + head * Window * D, 1);
    gathered = first;
  });
  give(H - 1);
  B::for_each_step(seq.batch * H, D, seq.spans(),
                   detail::Wkv1Backward<Exponent, T, H, D, Window>{at, k.data, v.data, y.data, q, dwindow.kept.data,
                                                                   dwindow.sum.data, dk.data, dv.data});
}

}  // namespace rwkv
