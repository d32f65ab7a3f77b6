#pragma once
#include <rwkv/core/math.hpp>

// Activations as types: an op that applies one takes it as a template argument. derivative is the derivative.
namespace rwkv::activation {

/// x sigmoid(x) (Hendrycks and Gimpel, arXiv 1606.08415)
struct Silu {
  template <class L>
  static RWKV_HD L value(L x) {
    return x * math::sigmoid(x);
  }
  template <class L>
  static RWKV_HD L derivative(L x) {
    const L s = math::sigmoid(x);
    return s + x * s * (scalar_of<L>(1) - s);
  }
};

/// max(x, 0)
struct Relu {
  template <class L>
  static RWKV_HD L value(L x) {
    return math::max(x, L{});
  }
  template <class L>
  static RWKV_HD L derivative(L x) {
    return x > scalar_of<L>(0) ? L{} + scalar_of<L>(1) : L{};
  }
};

/// x tanh(ln(1 + e^x)) (Misra, arXiv 1908.08681). With n = e^x (e^x + 2) the tangent is n / (n + 2).
struct Mish {
  template <class L>
  static RWKV_HD L value(L x) {
    const L n = powers(x);
    return x * (n / (n + scalar_of<L>(2)));
  }
  template <class L>
  static RWKV_HD L derivative(L x) {
    using T = scalar_of<L>;
    const L n = powers(x), share = T(1) / (n + T(2));
    return n * share + x * math::sigmoid(x) * (T(4) * (n + T(1)) * share * share);
  }

 private:
  template <class L>
  static RWKV_HD L powers(L x) {
    const L e = math::exp(math::min(L{} + scalar_of<L>(20), x));  // beyond, the tangent is 1
    return e * (e + scalar_of<L>(2));
  }
};

}  // namespace rwkv::activation
