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

/// x <- max(x, 0)^2
template <class T>
struct SquaredRelu {
  T* x;
  RWKV_HD void operator()(dim_t, auto i) const {
    const auto positive = math::max(load(x, i), At<T, decltype(i)>{});
    store(x, i, positive * positive);
  }
};
/// dy <- 2 sqrt(y) dy, sqrt(y) being the positive part of x again.
template <class T>
struct SquaredReluBackward {
  const T* y;
  T* dy;
  RWKV_HD void operator()(dim_t, auto i) const {
    const auto positive = math::sqrt(load(y, i));
    store(dy, i, (positive + positive) * load(dy, i));
  }
};

/// y = sigmoid(r) x
template <class T>
struct Gate {
  const T *r, *x;
  T* y;
  RWKV_HD void operator()(dim_t, auto i) const { store(y, i, math::sigmoid(load(r, i)) * load(x, i)); }
};
/// dx = sigmoid(r) dy and dr = sigmoid'(r) x dy; y again where it is asked for.
template <class T, bool Again>
struct GateBackward {
  const T *r, *x, *dy;
  T *dr, *dx, *y;
  RWKV_HD void operator()(dim_t, auto i) const {
    const auto s = math::sigmoid(load(r, i)), x_i = load(x, i), dx_i = s * load(dy, i);
    if constexpr (Again) store(y, i, s * x_i);
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
template <class B, class X, class Y>
void add(Carried<X, Y> a, Carried<X, Y> b, Carried<X, Y> y) {
  add<B>(a.first, b.first, y.first);
  add<B>(a.second, b.second, y.second);
}

/// x <- max(x, 0)^2, in place: the result alone serves the way back.
template <class B, class S>
void squared_relu_forward(View<typename B::scalar, S> x) {
  B::for_each(1, x.size(), detail::SquaredRelu<typename B::scalar>{x.data});
}
/// From dy to dx in place: dx = 2 max(x, 0) dy, from y = max(x, 0)^2.
template <class B, class S>
void squared_relu_backward(View<typename B::scalar, S> y, View<typename B::scalar, S> dy) {
  B::for_each(1, y.size(), detail::SquaredReluBackward<typename B::scalar>{y.data, dy.data});
}

/// y = sigmoid(r) x: the receptance gate of both mixes.
template <class B, class S>
void gate_forward(View<typename B::scalar, S> r, View<typename B::scalar, S> x, View<typename B::scalar, S> y) {
  B::for_each(1, y.size(), detail::Gate<typename B::scalar>{r.data, x.data, y.data});
}
/// dr = sigmoid'(r) x dy and dx = sigmoid(r) dy, either of which may be dy; y again unless its data is null.
template <class B, class S>
void gate_backward(View<typename B::scalar, S> r, View<typename B::scalar, S> x, View<typename B::scalar, S> dy,
                   View<typename B::scalar, S> dr, View<typename B::scalar, S> dx, View<typename B::scalar, S> y = {}) {
  using T = typename B::scalar;
  if (y.data)
    B::for_each(1, dy.size(), detail::GateBackward<T, true>{r.data, x.data, dy.data, dr.data, dx.data, y.data});
  else
    B::for_each(1, dy.size(), detail::GateBackward<T, false>{r.data, x.data, dy.data, dr.data, dx.data, nullptr});
}

}  // namespace rwkv
