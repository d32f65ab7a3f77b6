#pragma once
#include <rwkv/distributed/over_ranks.hpp>
#include <rwkv/ops/wkv4.hpp>

// WKV-4 over stretches of a text on several ranks. n tokens turn the sums A and B before them into
//
//   A' = e^{n w} A + a,   B' = e^{n w} B + b
//
// where a and b are what they make of no sums at all. Backwards, with a and b the gradients that they alone cause,
//
//   dA = e^{n w} dA' + a,   dB = e^{n w} dB' + b
//
// so the map of a stretch is n and an Element, found by running over it from the empty state, or from gradients of 0.
// What travels is an Element, 3 C numbers a sequence, which says on what scale it is: exponents that two ranks reach by
// different ways differ by rounding.
namespace rwkv {
namespace wkv4 {

/// What a rank makes of an element that reaches it: fades it over its tokens and puts its own behind.
template <class T, dim_t C>
struct PassOn {
  using Number = compute_of<T>;
  dim_t time;
  const T *time_decay, *time_first;
  const Number *received, *own;
  Number* next;
  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<Number, decltype(c)>;
    const auto i = b * 3 * C + c;
    const L w = Channel<L>::read(time_decay, time_first, c).w;
    Element<L>::read(received, i, C).then(Element<L>::read(own, i, C), w * scalar_of<L>(time)).write(next, i, C);
  }
};
template <class Number, dim_t C>
struct EmptyState {
  Number* state;
  RWKV_HD void operator()(dim_t b, auto c) const { Element<At<Number, decltype(c)>>{}.write(state, b * 3 * C + c, C); }
};
/// Of the gradient of a state, those of A and B. `stride` is that of states.
template <class Number, dim_t C>
struct GradientOfSums {
  const Number *dstate, *state;
  dim_t stride;
  Number* to;
  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<Number, decltype(c)>;
    const auto i = b * 3 * C + c;
    const L pp = load(state, b * stride + 2 * C + c);
    Element<L>{load(dstate, i), load(dstate, i + C), -pp}.write(to, i, C);
  }
};
/// Of the gradients of A and B, that of a state.
template <class Number, dim_t C>
struct GradientOfState {
  const Number *d, *state;
  Number* to;
  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<Number, decltype(c)>;
    const auto i = b * 3 * C + c;
    gradient_before(Element<L>::read(d, i, C), Element<L>::read(state, i, C)).write(to, i, C);
  }
};

}  // namespace wkv4

/// wkv4_forward of a text of which k, v and y are this rank's stretch, of any length. On rank 0 `state` is the one
/// before the text; others' is not read. It becomes the state after the rank's tokens. y may not be k or v.
template <class B, dim_t C, PointToPoint<Accum<B>> Ranks>
void wkv4_across_forward(Ranks& ranks, Scratch<B>& scratch, Tensor<B, C> time_decay, Tensor<B, C> time_first,
                         Tensor<B, Batch, Time, C> k, Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> y,
                         Tensor<Accum<B>, Batch, 3, C> state, Tensor<Accum<B>, Batch, Spans, 3, C> starts,
                         OverTime how = OverTime::automatic) {
  using Number = compute_of<typename B::scalar>;
  const auto frame = scratch.frame();
  const auto own = scratch.template accum<Shape<Batch, 3, C>>(k.seq);
  auto* const next = scratch.accum(own.size());
  const auto run = [&](auto from, auto keep) {
    wkv4_forward(scratch, time_decay, time_first, k, v, y, from, keep, how);
  };
  detail::over_ranks<Accum<B>>(
      ranks, detail::Direction::forwards, state.data, next, state.size(),
      [&] {
        B::for_each(k.seq.batch, C, wkv4::EmptyState<Number, C>{own.data});
        run(own, Tensor<Accum<B>, Batch, Spans, 3, C>{nullptr, k.seq});
      },
      [&] {
        B::for_each(k.seq.batch, C,
                    wkv4::PassOn<typename B::scalar, C>{k.seq.time, time_decay.data, time_first.data, state.data,
                                                        own.data, next});
      },
      [&] { run(state, starts); });
}

/// wkv4_backward of the same; `last` and `starts` are the state and the starts that forward left. On the last rank
/// dstate comes in as the gradient of the last state; others' is not read. It goes out as that of the state before the
/// rank's tokens. The ranks' gradients of the parameters add up to the text's. dk and dv may not be k, v or dy.
template <class B, dim_t C, PointToPoint<Accum<B>> Ranks>
void wkv4_across_backward(Ranks& ranks, Scratch<B>& scratch, Tensor<B, C> time_decay, Tensor<B, C> time_first,
                          Tensor<B, Batch, Time, C> k, Tensor<B, Batch, Time, C> v, Tensor<Accum<B>, Batch, 3, C> last,
                          Tensor<Accum<B>, Batch, Spans, 3, C> starts, Tensor<B, Batch, Time, C> dy,
                          Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv, Tensor<Accum<B>, C> dtime_decay,
                          Tensor<Accum<B>, C> dtime_first, Tensor<Accum<B>, Batch, 3, C> dstate,
                          OverTime how = OverTime::automatic) {
  using Number = compute_of<typename B::scalar>;
  const auto frame = scratch.frame();
  const dim_t batch = k.seq.batch, n = dstate.size();
  const auto own = scratch.template accum<Shape<Batch, 3, C>>(k.seq);
  Number *const sums = scratch.accum(n), *const next = scratch.accum(n);
  const Number* const before = k.seq.time > 0 ? starts.data : last.data;
  const dim_t stride = k.seq.time > 0 ? k.seq.spans() * 3 * C : 3 * C;
  const auto run = [&](auto to_decay, auto to_first, auto d, Number* to) {
    wkv4_backward(scratch, time_decay, time_first, k, v, starts, dy, dk, dv, to_decay, to_first, d, how);
    B::for_each(batch, C, wkv4::GradientOfSums<Number, C>{d.data, before, stride, to});
  };
  B::for_each(batch, C, wkv4::GradientOfSums<Number, C>{dstate.data, last.data, 3 * C, sums});
  detail::over_ranks<Accum<B>>(
      ranks, detail::Direction::backwards, sums, next, n,
      [&] {
        const Tensor<Accum<B>, C> nobody{nullptr, k.seq};
        Accum<B>::fill(own.data, n, Number(0));
        run(nobody, nobody, own, own.data);
      },
      [&] {
        B::for_each(
            batch, C,
            wkv4::PassOn<typename B::scalar, C>{k.seq.time, time_decay.data, time_first.data, sums, own.data, next});
      },
      [&] {
        B::for_each(batch, C, wkv4::GradientOfState<Number, C>{sums, last.data, dstate.data});
        run(dtime_decay, dtime_first, dstate, sums);
      });
}

}  // namespace rwkv
