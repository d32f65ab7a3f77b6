#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/wkv4/scan_backward.hpp>
#include <rwkv/ops/wkv4/scan_forward.hpp>

// WKV-4 as an ordered scan over time (Blelloch 1990, "Prefix sums and their applications"): blocks of spans are reduced
// to one element each, the elements are carried along by Past::then, and every block then starts from what came
// before. Blocks come in groups, one group after the other, so that what the first pass has read the second finds in
// the cache. One block at a time is the plain recurrence.
namespace rwkv::detail {

/// What both directions need: the channels' rows and the elements on the way.
template <class B, dim_t C>
struct Wkv4Scratch {
  using T = typename B::scalar;
  using N = compute_of<T>;
  static constexpr dim_t rows = Past<N>::rows;
  N *channels, *fades;
  Wkv4Elements<N> elements;
  Wkv4Scratch(rwkv::Scratch<B>& scratch, const Wkv4Cut& cut, const T* time_decay, const T* time_first)
      : channels(scratch.accum(Channel<N>::rows * C)), fades(cut.stepwise ? nullptr : scratch.accum((span + 1) * C)) {
    const dim_t batch = cut.seq.batch, longest = cut.seq.time < span ? cut.seq.time : span;
    elements.carried = scratch.accum(batch * rows * C);
    elements.blocks = cut.count == 1 ? elements.carried : scratch.accum(batch * cut.count * rows * C);
    const dim_t tail = cut.seq.time - (cut.seq.spans() - 1) * span;
    B::for_each(1, C,
                Wkv4Channels<T, C>{tail, cut.length * span, longest < 3 ? 3 : longest, time_decay, time_first, channels,
                                   fades});
  }
};

template <class B, dim_t C>
void wkv4_scan(rwkv::Scratch<B>& scratch, const Wkv4Cut& cut, const typename B::scalar* time_decay,
               const typename B::scalar* time_first, const typename B::scalar* k, const typename B::scalar* v,
               typename B::scalar* y, compute_of<typename B::scalar>* state, compute_of<typename B::scalar>* starts) {
  using T = typename B::scalar;
  using N = compute_of<T>;
  const auto frame = scratch.frame();
  const Wkv4Scratch<B, C> own(scratch, cut, time_decay, time_first);
  const Wkv4Inputs<T> in{cut.seq, time_first, own.channels, own.fades, k, v};
  const dim_t batch = cut.seq.batch;
  B::for_each(batch, C, Wkv4Enter<N, C>{state, own.elements.carried});
  cut.for_groups(false, [&](const Wkv4Blocks& blocks) {
    if (cut.count > 1) {
      B::for_each_step(batch * (blocks.count - 1), C, blocks.steps(),
                       Wkv4Forward<false, T, C>{blocks, in, y, starts, own.elements}, 4 * per_step);
      B::for_each(batch, C, Wkv4Carry<N, C>{blocks, own.channels, own.elements, false});
    }
    B::for_each_step(batch * blocks.count, C, blocks.steps(),
                     Wkv4Forward<true, T, C>{blocks, in, y, starts, own.elements}, 4 * per_step);
  });
  B::for_each(batch, C, Wkv4Leave<N, C>{own.elements.carried, state});
}

template <class B, dim_t C>
void wkv4_scan_back(rwkv::Scratch<B>& scratch, const Wkv4Cut& cut, const typename B::scalar* time_decay,
                    const typename B::scalar* time_first, const typename B::scalar* k, const typename B::scalar* v,
                    const Wkv4Gradients<typename B::scalar>& g, compute_of<typename B::scalar>* dstate,
                    compute_of<typename B::scalar>* dtime_decay, compute_of<typename B::scalar>* dtime_first) {
  using T = typename B::scalar;
  using N = compute_of<T>;
  const auto frame = scratch.frame();
  const Wkv4Scratch<B, C> own(scratch, cut, time_decay, time_first);
  const Wkv4Inputs<T> in{cut.seq, time_first, own.channels, own.fades, k, v};
  const dim_t batch = cut.seq.batch, parts = batch * cut.count;
  N* sums = scratch.accum(parts * 4 * C);
  Accum<B>::fill(sums, parts * 4 * C, 0);
  B::for_each(batch, C, Wkv4EnterBack<T, C>{in, g.starts, dstate, own.elements.carried});
  cut.for_groups(true, [&](const Wkv4Blocks& blocks) {
    if (cut.count > 1) {
      B::for_each_step(batch * (blocks.count - 1), C, blocks.steps(),
                       Wkv4Backward<false, T, C>{blocks, in, g, sums, own.elements}, 4 * per_step);
      B::for_each(batch, C, Wkv4Carry<N, C>{blocks, own.channels, own.elements, true});
    }
    B::for_each_step(batch * blocks.count, C, blocks.steps(),
                     Wkv4Backward<true, T, C>{blocks, in, g, sums, own.elements}, 4 * per_step);
  });
  B::for_each(batch, C, Wkv4LeaveBack<N, C>{cut.seq, g.starts, own.elements.carried, dstate});
  B::for_each(1, C, Wkv4Parameters<N, C>{parts, own.channels, sums, dtime_decay, dtime_first});
}

}  // namespace rwkv::detail
