#pragma once
#include <rwkv/distributed/over_ranks.hpp>
#include <rwkv/ops/wkv7/stretch.hpp>

// WKV-7 over stretches of a text on several ranks: a stretch turns the state Z before it into M Z + Q, and the gradient
// of the state after it into that of the one before, M^T dZ + D, with D what its own outputs add. Q and M are found by
// running over the stretch from zeros and, without values, from ones on the diagonal; D by running back from zeros. M
// serves both ways, and is made by the products that carry a state over the stretch, so that nothing is rounded more
// than there. What travels is a state, H Size^2 numbers a sequence.
namespace rwkv {

/// wkv7_forward of a text of which `in` and y are this rank's stretch, of any length. On rank 0 `state` is the one
/// before the text; others' is not read. It becomes the state after the rank's tokens. m is for wkv7_across_backward:
/// M, which a rank between others writes; its data may be null where nobody goes back.
template <class B, dim_t H, dim_t Size, PointToPoint<Accum<B>> Ranks>
void wkv7_across_forward(Ranks& ranks, Scratch<B>& scratch, const wkv7::Signals<B, H, Size>& in,
                         Tensor<B, Batch, Time, H * Size> y, wkv7::State<B, H, Size> state,
                         const wkv7::Kept<B, H, Size>& kept, wkv7::State<B, H, Size> m,
                         wkv7::OverTime how = wkv7::OverTime::automatic) {
  using States = typename wkv7::State<B, H, Size>::shape;
  const auto frame = scratch.frame();
  const auto next = scratch.template accum<States>(in.seq());
  const wkv7::Stretch<B, H, Size> own{m.data ? m : scratch.template accum<States>(in.seq()),
                                      scratch.template accum<States>(in.seq())};
  detail::over_ranks<Accum<B>>(
      ranks, detail::Direction::forwards, state.data, next.data, state.size(),
      [&] { wkv7::stretch_of(scratch, in, own); }, [&] { wkv7::apply(own, state, next); },
      [&] { wkv7_forward(scratch, in, y, state, kept, how); });
}

/// wkv7_backward of the same, with kept and m as forward left them. On the last rank dstate comes in as the gradient of
/// the last state; others' is not read. It goes out as that of the state before the rank's tokens.
template <class B, dim_t H, dim_t Size, PointToPoint<Accum<B>> Ranks>
void wkv7_across_backward(Ranks& ranks, Scratch<B>& scratch, const wkv7::Signals<B, H, Size>& in,
                          const wkv7::Kept<B, H, Size>& kept, wkv7::State<B, H, Size> m,
                          Tensor<B, Batch, Time, H * Size> dy, const wkv7::Signals<B, H, Size>& d,
                          wkv7::State<B, H, Size> dstate, wkv7::OverTime how = wkv7::OverTime::automatic) {
  using States = typename wkv7::State<B, H, Size>::shape;
  const auto frame = scratch.frame();
  const auto next = scratch.template accum<States>(in.seq()), own = scratch.template accum<States>(in.seq());
  const auto run = [&](auto from) { wkv7_backward(scratch, in, kept, dy, d, from, how); };
  detail::over_ranks<Accum<B>>(
      ranks, detail::Direction::backwards, dstate.data, next.data, dstate.size(),
      [&] {
        Accum<B>::fill(own.data, own.size(), 0);
        run(own);
      },
      [&] {
        wkv7::apply(wkv7::Stretch<B, H, Size>{m, own}, dstate, next, Op::transpose);
      },
      [&] { run(dstate); });
}

}  // namespace rwkv
