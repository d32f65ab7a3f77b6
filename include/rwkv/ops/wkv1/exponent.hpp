#pragma once
#include <rwkv/core/math.hpp>

// How keys become weights in RWKV-1's mixing, as types. derivative is the derivative, of the weight already taken.
namespace rwkv::v1 {

/// e^k as the study wrote it: infinite for keys above 88 in float, and 0 / 0 where all keys are below -103.
struct Raw {
  template <class L>
  static RWKV_HD L value(L k) {
    return math::exp(k);
  }
  template <class L>
  static RWKV_HD L derivative(L, L e) {
    return e;
  }
};

/// e^k with k between -60 and 30, as the official RWKV-1 has it: sums of 10^12 tokens stay finite, none is 0.
struct Clamped {
  static constexpr int low = -60, high = 30;
  template <class L>
  static RWKV_HD L value(L k) {
    using T = scalar_of<L>;
    return math::exp(math::max(L{} + T(low), math::min(L{} + T(high), k)));
  }
  template <class L>
  static RWKV_HD L derivative(L k, L e) {
    using T = scalar_of<L>;
    return k > T(low) ? (k < T(high) ? e : L{}) : L{};
  }
};

}  // namespace rwkv::v1
