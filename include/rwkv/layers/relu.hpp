#pragma once
#include <rwkv/layers/activation.hpp>
#include <rwkv/ops/relu.hpp>

namespace rwkv {
namespace detail {
struct ReluFunction {
  template <class B>
  static void forward(auto x, auto y) {
    relu_forward<B>(x, y);
  }
  template <class B>
  static void backward(auto x, auto dy, auto dx) {
    relu_backward<B>(x, dy, dx);
  }
};
}  // namespace detail

/// y = max(x, 0) on C channels.
template <dim_t C>
struct Relu : Activation<C, detail::ReluFunction> {};

}  // namespace rwkv
