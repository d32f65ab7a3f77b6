#pragma once
#include <cmath>

#include <rwkv/core/math.hpp>
#include <rwkv/training/optimizer.hpp>

namespace rwkv {
namespace detail {
/// One step of one tensor. The gradient is set to zero for the next step to add to.
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

/// AdamW (Loshchilov and Hutter 2019), bias-corrected: w <- w - rate (m / (sqrt(v) + eps) + decay w), m and v being the
/// moments. Fields say which tensors decay. The defaults are those of the official trainer, with decay 0.1.
struct AdamW {
  double beta1 = 0.9, beta2 = 0.99, eps = 1e-8, decay = 0.1;

  static constexpr std::array memory{"adam.m.", "adam.v."};

  template <class B, Bundle P>
  void step(const Update& update, Owned<B, P>& params, Owned<B, P>& gradient,
            std::array<Owned<B, P>, 2>& moments) const {
    using T = typename B::scalar;
    const auto correct = [&](double beta) { return T(1 / (1 - std::pow(beta, double(update.number)))); };
    const T correct1 = correct(beta1), correct2 = correct(beta2);
    for (const Leaf& leaf : gradient.leaves()) {
      const dim_t at = leaf.offset;
      B::for_each(
          1, leaf.size,
          detail::AdamStep<T>{T(update.scale), T(update.learning_rate * leaf.field.lr_scale), T(beta1), T(beta2),
                              T(eps), T(leaf.field.decays ? decay : 0), correct1, correct2, params.data() + at,
                              gradient.data() + at, moments[0].data() + at, moments[1].data() + at});
    }
  }
};

}  // namespace rwkv
