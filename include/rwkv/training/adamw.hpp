#pragma once
#include <cmath>

#include <rwkv/core/math.hpp>
#include <rwkv/core/owned.hpp>

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

/// Step number `step` (from 1) of all tensors. The gradient, times `scale`, is used up and left at zero.
template <class B, Bundle P>
void adamw_step(const AdamW& o, dim_t step, double rate, double scale, Owned<B, P>& params, Owned<B, P>& gradient,
                Owned<B, P>& m, Owned<B, P>& v) {
  using T = typename B::scalar;
  const T correct1 = T(1 / (1 - std::pow(o.beta1, double(step)))),
          correct2 = T(1 / (1 - std::pow(o.beta2, double(step))));
  for (const Leaf& leaf : params.leaves()) {
    const dim_t at = leaf.offset;
    B::for_each(1, leaf.size,
                detail::AdamStep<T>{T(scale), T(rate * leaf.field.lr_scale), T(o.beta1), T(o.beta2), T(o.eps),
                                    T(leaf.field.decays ? o.decay : 0), correct1, correct2, params.data() + at,
                                    gradient.data() + at, m.data() + at, v.data() + at});
  }
}

}  // namespace rwkv
