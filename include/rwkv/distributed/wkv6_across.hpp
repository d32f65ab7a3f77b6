#pragma once
#include <rwkv/distributed/over_ranks.hpp>
#include <rwkv/ops/wkv6.hpp>

// WKV-5 and 6 over stretches of a text on several ranks: a stretch turns the state Z before it into diag(f) Z + Q,
// where f is what the decays of its tokens make together and Q what it makes of zeros, and the gradient of the state
// after it into that of the one before, diag(f) dZ + D, with D what its own outputs add. What travels is a state, H
// Size^2 numbers a sequence.
namespace rwkv {
namespace wkv6 {

/// The logarithm of f, (Batch, H * Size).
template <class In, class T>
struct FadeOfAll {
  In in;
  T* log;
  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    constexpr dim_t C = In::Signal::shape::unit;
    const dim_t time = in.seq().time;
    L sum{};
    if constexpr (In::still)
      sum = load(in.w.data, c) * T(time);
    else
      for (dim_t t = 0; t < time; ++t) sum = sum + load(in.w.data, (b * time + t) * C + c);
    store(log, b * C + c, sum);
  }
};
/// A row of a state, a key's, that reaches a rank: faded, and with the rank's own.
template <class T, dim_t Size>
struct PassOn {
  const T *log, *received, *own;
  T* next;
  RWKV_HD void operator()(dim_t row, auto c) const {
    const auto i = row * Size + c;
    store(next, i, load(received, i) * math::exp(log[row]) + load(own, i));
  }
};

/// Runs from a state, or back from its gradient, over ranks: see over_ranks.
template <class B, dim_t H, dim_t Size, class In, class Ranks>
void over_ranks(Ranks& ranks, rwkv::detail::Direction direction, Scratch<B>& scratch, const In& in,
                State<B, H, Size> state, const auto& run, const auto& run_to_nobody) {
  using T = typename Accum<B>::scalar;
  using States = typename State<B, H, Size>::shape;
  const auto frame = scratch.frame();
  const auto next = scratch.template accum<States>(in.seq()), own = scratch.template accum<States>(in.seq());
  const dim_t batch = in.seq().batch;
  T* const log = scratch.accum(batch * H * Size);
  rwkv::detail::over_ranks<Accum<B>>(
      ranks, direction, state.data, next.data, state.size(),
      [&] {
        B::for_each(batch, H * Size, FadeOfAll<In, T>{in, log});
        Accum<B>::fill(own.data, own.size(), T(0));
        run_to_nobody(own);
      },
      [&] {
        B::for_each(batch * H * Size, Size, PassOn<T, Size>{log, state.data, own.data, next.data});
      },
      [&] { run(state); });
}

}  // namespace wkv6

/// wkv6_forward of a text of which `in` and y are this rank's stretch, of any length. On rank 0 `state` is the one
/// before the text; others' is not read. It becomes the state after the rank's tokens.
template <class B, dim_t H, dim_t Size, class Decay, class Bonus, PointToPoint<Accum<B>> Ranks>
void wkv6_across_forward(Ranks& ranks, Scratch<B>& scratch, const wkv6::Signals<B, H, Size, Decay, Bonus>& in,
                         Tensor<B, Batch, Time, H * Size> y, wkv6::State<B, H, Size> state,
                         wkv6::Starts<B, H, Size> starts, wkv6::OverTime how = wkv6::OverTime::automatic) {
  const auto run = [&](auto from, auto keep) { wkv6_forward(scratch, in, y, from, keep, how); };
  wkv6::over_ranks<B, H, Size>(
      ranks, detail::Direction::forwards, scratch, in, state, [&](auto from) { run(from, starts); },
      [&](auto from) {
        run(from, wkv6::Starts<B, H, Size>{nullptr, in.seq()});
      });
}

/// wkv6_backward of the same. On the last rank dstate comes in as the gradient of the last state; others' is not read.
/// It goes out as that of the state before the rank's tokens. The ranks' gradients of the parameters add up to the
/// text's.
template <class B, dim_t H, dim_t Size, class Decay, class Bonus, class DecayGradient, class BonusGradient,
          PointToPoint<Accum<B>> Ranks>
void wkv6_across_backward(Ranks& ranks, Scratch<B>& scratch, const wkv6::Signals<B, H, Size, Decay, Bonus>& in,
                          wkv6::Starts<B, H, Size> starts, Tensor<B, Batch, Time, H * Size> dy,
                          const wkv6::Signals<B, H, Size, DecayGradient, BonusGradient>& d,
                          wkv6::State<B, H, Size> dstate, wkv6::OverTime how = wkv6::OverTime::automatic) {
  const auto run = [&](auto from, auto to) { wkv6_backward(scratch, in, starts, dy, to, from, how); };
  wkv6::over_ranks<B, H, Size>(
      ranks, detail::Direction::backwards, scratch, in, dstate, [&](auto from) { run(from, d); },
      [&](auto from) {
        auto nobody = d;
        nobody.u.data = nullptr;
        if constexpr (wkv6::Signals<B, H, Size, Decay, Bonus>::still) nobody.w.data = nullptr;
        run(from, nobody);
      });
}

}  // namespace rwkv
