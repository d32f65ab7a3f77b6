#pragma once
#include <rwkv/ops/wkv4/walk.hpp>

// Decoding: one launch for all, and nothing is kept between tokens but the state.
namespace rwkv::detail {

/// Fewer tokens than these are not worth knowing more of a channel.
inline constexpr dim_t few_tokens = 4;

/// All tokens of a (sequence, channel).
template <class T, dim_t C>
struct Wkv4FewTokens {
  Wkv4Inputs<T> in;
  const T* time_decay;
  T* y;
  compute_of<T>*state, *starts;

  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    const auto [in, time_decay, y, state, starts] = *this;  // no store can change a local copy
    const auto slot = b * 3 * C + c;
    const auto past = Past<L>::read_sums(state, slot, C).enter();
    if (starts) past.write_sums(starts, slot, C);
    walk_tokens<true, C>(in, y, b * in.seq.time * C + c, in.seq.time,
                         Channel<L>::of(load(time_decay, c), load(in.time_first, c)), past)
        .leave()
        .write_sums(state, slot, C);
  }
};

}  // namespace rwkv::detail
