#pragma once
#include <rwkv/layers/activation.hpp>
#include <rwkv/ops/gelu.hpp>

namespace rwkv {
namespace detail {
struct GeluFunction {
  template <class B>
  static void forward(auto x, auto y) {
    gelu_forward<B>(x, y);
  }
  template <class B>
  static void backward(auto x, auto dy, auto dx) {
    gelu_backward<B>(x, dy, dx);
  }
};
}  // namespace detail

/// y = x Phi(x) on C channels, the exact form of GELU (Hendrycks and Gimpel, arXiv 1606.08415).
template <dim_t C>
struct Gelu : Activation<C, detail::GeluFunction> {};

}  // namespace rwkv
