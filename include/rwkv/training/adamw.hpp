#pragma once
#include <cmath>

#include <rwkv/core/arena.hpp>
#include <rwkv/core/math.hpp>

namespace rwkv {

/// AdamW (Loshchilov and Hutter 2019), bias-corrected: w <- w - rate (m / (sqrt(v) + eps) + decay w). Fields say which
/// tensors decay and how their rate is multiplied. The defaults are those of the official trainer, with decay 0.1.
struct AdamW {
  double beta1 = 0.9, beta2 = 0.99, eps = 1e-8, decay = 0.1;
};

namespace detail {
/// One step of one tensor; the gradient, times `scale`, is used up: zeros stay for the next step to add to.
template <class T>
struct AdamStep {
  T scale, rate, beta1, beta2, eps, decay, correct1, correct2;  // correct = 1 / (1 - beta^step)
  T *w, *g, *m, *v;
  RWKV_HD void operator()(dim_t, auto i) const {
    const auto g_i = load(g, i) * scale, w_i = load(w, i);
    const auto m_i = beta1 * load(m, i) + (T(1) - beta1) * g_i;
    const auto v_i = beta2 * load(v, i) + (T(1) - beta2) * g_i * g_i;
    store(g, i, At<T, decltype(i)>{});
    store(m, i, m_i);
    store(v, i, v_i);
    store(w, i, w_i - rate * (m_i * correct1 / (math::sqrt(v_i * correct2) + eps) + decay * w_i));
  }
};
}  // namespace detail

/// Step number `step` (from 1) of all tensors of a bundle. The gradient, times `scale`, is used up and left at zero.
template <class B, Bundle P>
void adamw_step(const AdamW& o, dim_t step, double rate, double scale, P& params, P& gradient, P& m, P& v) {
  using T = typename B::scalar;
  const T correct1 = T(1 / (1 - std::pow(o.beta1, double(step)))), correct2 = T(1 / (1 - std::pow(o.beta2, double(step))));
  for_each_leaf(
      [&](auto&, const Field& field, auto& w, auto& g, auto& m_w, auto& v_w) {
        B::for_each(1, w.size(),
                    detail::AdamStep<T>{T(scale), T(rate * field.rate), T(o.beta1), T(o.beta2), T(o.eps),
                                        T(field.decays ? o.decay : 0), correct1, correct2, w.data, g.data, m_w.data, v_w.data});
      },
      params, gradient, m, v);
}

}  // namespace rwkv
