#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/view.hpp>
#include <rwkv/ops/activation_functions.hpp>

namespace rwkv {
namespace detail {

template <class A, class T>
struct Activate {
  const T* x;
  T* y;
  RWKV_HD void operator()(dim_t, auto i) const { store(y, i, A::value(load(x, i))); }
};
template <class A, class T>
struct ActivateBackward {
  const T *kept, *dy;
  T* dx;
  RWKV_HD void operator()(dim_t, auto i) const { store(dx, i, A::derivative(load(kept, i)) * load(dy, i)); }
};

}  // namespace detail

/// y = A(x), A being one of rwkv::activation; y may be x.
template <class B, class A, class S>
void activation_forward(View<typename B::scalar, S> x, View<typename B::scalar, S> y) {
  B::for_each(1, x.size(), detail::Activate<A, typename B::scalar>{x.data, y.data});
}
/// dx = A'(x) dy, from y where A::of_output, else from x; dx may be dy.
template <class B, class A, class S>
void activation_backward(View<typename B::scalar, S> kept, View<typename B::scalar, S> dy,
                         View<typename B::scalar, S> dx) {
  B::for_each(1, dy.size(), detail::ActivateBackward<A, typename B::scalar>{kept.data, dy.data, dx.data});
}

}  // namespace rwkv
