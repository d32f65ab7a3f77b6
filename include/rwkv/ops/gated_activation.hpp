#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/view.hpp>
#include <rwkv/ops/activation_functions.hpp>

namespace rwkv {
namespace detail {

template <class A, class T>
struct GatedActivation {
  const T *k, *v;
  T* y;
  RWKV_HD void operator()(dim_t, auto i) const { store(y, i, A::value(load(k, i)) * load(v, i)); }
};
template <class A, class T>
struct GatedActivationBackward {
  const T *k, *v, *dy;
  T *dk, *dv;
  RWKV_HD void operator()(dim_t, auto i) const {
    const auto k_i = load(k, i), dy_i = load(dy, i);
    store(dk, i, activation::derivative_at<A>(k_i) * load(v, i) * dy_i);
    store(dv, i, A::value(k_i) * dy_i);
  }
};

}  // namespace detail

/// y = A(k) v, A being one of rwkv::activation.
template <class B, class A, class S>
void gated_activation_forward(View<typename B::scalar, S> k, View<typename B::scalar, S> v,
                              View<typename B::scalar, S> y) {
  B::for_each(1, y.size(), detail::GatedActivation<A, typename B::scalar>{k.data, v.data, y.data});
}
/// dk = A'(k) v dy and dv = A(k) dy, either of which may be dy.
template <class B, class A, class S>
void gated_activation_backward(View<typename B::scalar, S> k, View<typename B::scalar, S> v,
                               View<typename B::scalar, S> dy, View<typename B::scalar, S> dk,
                               View<typename B::scalar, S> dv) {
  B::for_each(1, dy.size(),
              detail::GatedActivationBackward<A, typename B::scalar>{k.data, v.data, dy.data, dk.data, dv.data});
}

}  // namespace rwkv
