#pragma once
#include <rwkv/registry/registered_net.hpp>

namespace compare {
using rwkv::dim_t;

/// What a net's type says of it.
struct Facts {
  dim_t parameters = 0, flops = 0;  ///< flops: of a token's forward pass
  dim_t state_bytes = 0;            ///< of one sequence
  dim_t context = 0;                ///< the most tokens it can have read; 0: no end
  dim_t training_bytes = 0;         ///< parameters, gradients, moments and activations of the study's batch

  /// Bytes of the state that tell of the text so far, after so many tokens. A model of limited context fills a window,
  /// and begins anew with half of it when it is full.
  double bytes_in_use(dim_t position) const {
    if (context == 0) return double(state_bytes);
    const dim_t anew = context - context / 2;
    const dim_t held = position <= context ? position : context / 2 + 1 + (position - context - 1) % anew;
    return double(state_bytes) * double(held) / double(context);
  }
};

inline Facts facts_of(const rwkv::RegisteredNet& net, const rwkv::Machine& machine, rwkv::Seq seq) {
  const auto [leaves, sizes] = net.sizes(machine, seq);
  const dim_t in_full = sizes.reduced ? 4 : 3;  // gradients and two moments, and then master weights
  dim_t training = sizes.activations + in_full * net.parameters * sizes.full_scalar;
  for (const rwkv::Leaf& leaf : leaves) training += leaf.bytes();
  return {net.parameters, net.flops, sizes.state_per_sequence, net.context, training};
}

}  // namespace compare
