#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/core/view.hpp>

namespace rwkv {
namespace detail {

template <class T>
struct Add {
  const T *a, *b;
  T* y;
  RWKV_HD void operator()(dim_t, auto i) const { store(y, i, load(a, i) + load(b, i)); }
};

/// y = sigmoid(r) x
template <class T>
struct Gate {
  const T *r, *x;
  T* y;
  RWKV_HD void operator()(dim_t, auto i) const { store(y, i, math::sigmoid(load(r, i)) * load(x, i)); }
};
/// dx = sigmoid(r) dy and dr = sigmoid'(r) x dy
template <class T>
struct GateBackward {
  const T *r, *x, *dy;
  T *dr, *dx;
  RWKV_HD void operator()(dim_t, auto i) const {
    const auto s = math::sigmoid(load(r, i)), x_i = load(x, i), dx_i = s * load(dy, i);
    store(dr, i, dx_i * x_i * (compute_of<T>(1) - s));
    store(dx, i, dx_i);
  }
};

}  // namespace detail

/// y = a + b; y may be a or b.
template <class B, class S>
void add(View<typename B::scalar, S> a, View<typename B::scalar, S> b, View<typename B::scalar, S> y) {
  B::for_each(1, y.size(), detail::Add<typename B::scalar>{a.data, b.data, y.data});
}
/// y = sigmoid(r) x: the receptance gate of both mixes.
template <class B, class S>
void gate_forward(View<typename B::scalar, S> r, View<typename B::scalar, S> x, View<typename B::scalar, S> y) {
  B::for_each(1, y.size(), detail::Gate<typename B::scalar>{r.data, x.data, y.data});
}
/// dr = sigmoid'(r) x dy and dx = sigmoid(r) dy, either of which may be dy.
template <class B, class S>
void gate_backward(View<typename B::scalar, S> r, View<typename B::scalar, S> x, View<typename B::scalar, S> dy,
                   View<typename B::scalar, S> dr, View<typename B::scalar, S> dx) {
  B::for_each(1, dy.size(), detail::GateBackward<typename B::scalar>{r.data, x.data, dy.data, dr.data, dx.data});
}

}  // namespace rwkv
