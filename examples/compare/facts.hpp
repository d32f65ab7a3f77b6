#pragma once
#include <string>

#include <rwkv/inference/decoder.hpp>
#include <rwkv/layers/layer.hpp>

namespace compare {
using rwkv::dim_t;

/// What a model's type says of it.
struct Facts {
  dim_t parameters = 0, flops = 0;  ///< flops: of a token's forward pass
  dim_t state_bytes = 0;            ///< of one sequence
  dim_t context = 0;                ///< the most tokens it can have read; 0: no end
  dim_t training_bytes = 0;         ///< parameters, gradients, moments and activations of the study's batch

  /// Bytes of the state that tell of the text so far, after so many tokens. A model with a longest context fills a
  /// window, and begins anew with half of it when it is full.
  double bytes_in_use(dim_t position) const {
    if (context == 0) return double(state_bytes);
    const dim_t anew = context - context / 2;
    const dim_t held = position <= context ? position : context / 2 + 1 + (position - context - 1) % anew;
    return double(state_bytes) * double(held) / double(context);
  }
};

template <class Net>
Facts facts_of(rwkv::Seq seq) {
  constexpr dim_t scalar = sizeof(float);
  return {rwkv::parameters<Net>(), rwkv::flops_per_token<Net>(), scalar * rwkv::state_units<Net>(),
          rwkv::context_length<Net>, scalar * (4 * rwkv::parameters<Net>() + rwkv::cache_units<Net>(seq))};
}

}  // namespace compare
