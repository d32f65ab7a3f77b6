#pragma once
#include <rwkv/core/math.hpp>
#include <rwkv/ops/normal_distribution.hpp>

// Activation functions as types: an op or layer that applies one takes it as a template argument. `derivative` is a
// function of the input, or, where `of_output` says so, of the output, so that only one of the two has to be kept.
namespace rwkv::activation {

/// x itself
struct Identity {
  static constexpr bool of_output = true;
  template <class L>
  static RWKV_HD L value(L x) {
    return x;
  }
  template <class L>
  static RWKV_HD L derivative(L) {
    return L{} + scalar_of<L>(1);
  }
};

/// max(x, 0); its derivative is the same seen from either side
struct Relu {
  static constexpr bool of_output = true;
  template <class L>
  static RWKV_HD L value(L x) {
    return math::max(x, L{});
  }
  template <class L>
  static RWKV_HD L derivative(L y) {
    return y > scalar_of<L>(0) ? L{} + scalar_of<L>(1) : L{};
  }
};

/// max(x, 0)^2 (So et al., arXiv 2109.08668)
struct SquaredRelu {
  static constexpr bool of_output = true;
  template <class L>
  static RWKV_HD L value(L x) {
    const L positive = math::max(x, L{});
    return positive * positive;
  }
  template <class L>
  static RWKV_HD L derivative(L y) {
    const L positive = math::sqrt(y);
    return positive + positive;
  }
};

/// 1 / (1 + e^-x)
struct Sigmoid {
  static constexpr bool of_output = true;
  template <class L>
  static RWKV_HD L value(L x) {
    return math::sigmoid(x);
  }
  template <class L>
  static RWKV_HD L derivative(L y) {
    return y * (scalar_of<L>(1) - y);
  }
};

struct Tanh {
  static constexpr bool of_output = true;
  template <class L>
  static RWKV_HD L value(L x) {
    return math::tanh(x);
  }
  template <class L>
  static RWKV_HD L derivative(L y) {
    return scalar_of<L>(1) - y * y;
  }
};

struct Exp {
  static constexpr bool of_output = true;
  template <class L>
  static RWKV_HD L value(L x) {
    return math::exp(x);
  }
  template <class L>
  static RWKV_HD L derivative(L y) {
    return y;
  }
};

/// -e^x: the logarithm of a decay e^{-e^x}
struct NegativeExp {
  static constexpr bool of_output = true;
  template <class L>
  static RWKV_HD L value(L x) {
    return -math::exp(x);
  }
  template <class L>
  static RWKV_HD L derivative(L y) {
    return y;
  }
};

/// x sigmoid(x) (Hendrycks and Gimpel, arXiv 1606.08415)
struct Silu {
  static constexpr bool of_output = false;
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

/// x Phi(x), Phi being the standard normal distribution: GELU's exact form (Hendrycks and Gimpel, arXiv 1606.08415)
struct Gelu {
  static constexpr bool of_output = false;
  template <class L>
  static RWKV_HD L value(L x) {
    return x * detail::Normal(x).below;
  }
  template <class L>
  static RWKV_HD L derivative(L x) {
    constexpr auto density = scalar_of<L>(0.39894228040143267794);  // 1 / sqrt(2 pi)
    const detail::Normal<L> normal(x);
    return normal.below + x * normal.bell * density;
  }
};

/// x tanh(ln(1 + e^x)) (Misra, arXiv 1908.08681). With n = e^x (e^x + 2) the tangent is n / (n + 2).
struct Mish {
  static constexpr bool of_output = false;
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

/// A's derivative at x, whichever side A knows it from.
template <class A, class L>
[[gnu::always_inline]] RWKV_HD inline L derivative_at(L x) {
  if constexpr (A::of_output)
    return A::derivative(A::value(x));
  else
    return A::derivative(x);
}

}  // namespace rwkv::activation
