#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/core/view.hpp>

namespace rwkv {
namespace detail {

template <class T>
struct Relu {
  const T* x;
  T* y;
  RWKV_HD void operator()(dim_t, auto i) const { store(y, i, math::max(load(x, i), At<T, decltype(i)>{})); }
};
template <class T>
struct ReluBackward {
  const T *y, *dy;
  T* dx;
  RWKV_HD void operator()(dim_t, auto i) const {
    using L = At<T, decltype(i)>;
    const L dy_i = load(dy, i);
    store(dx, i, load(y, i) > compute_of<T>(0) ? dy_i : L{});
  }
};

}  // namespace detail

/// y = max(x, 0)
template <class B, class S>
void relu_forward(View<typename B::scalar, S> x, View<typename B::scalar, S> y) {
  B::for_each(1, x.size(), detail::Relu<typename B::scalar>{x.data, y.data});
}
/// dx = dy where y > 0, else 0; dx may be dy.
template <class B, class S>
void relu_backward(View<typename B::scalar, S> y, View<typename B::scalar, S> dy, View<typename B::scalar, S> dx) {
  B::for_each(1, y.size(), detail::ReluBackward<typename B::scalar>{y.data, dy.data, dx.data});
}

}  // namespace rwkv
