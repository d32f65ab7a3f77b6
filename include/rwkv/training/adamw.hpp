#pragma once
#include <cmath>

#include <rwkv/core/math.hpp>
#include <rwkv/core/ranges.hpp>
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

  /// Error unless every setting lies within its range, also when it is rounded to float.
  [[gnu::cold, gnu::noinline]] void check() const {
    const detail::Ranges ranges("AdamW");
    ranges.expect(beta1 >= 0 && float(beta1) < 1, "beta1", "from 0 to below 1", beta1);
    ranges.expect(beta2 >= 0 && float(beta2) < 1, "beta2", "from 0 to below 1", beta2);
    ranges.expect(ranges.finite(eps) && float(eps) > 0, "eps", "above 0", eps);
    ranges.at_least_0("decay", decay);
  }

  template <class B>
  void step(const Update& update, const Trained<B, 2>& trained) const {
    adamw_step(*this, update, trained);
  }
};

namespace detail {
/// The step without what differs between tensors: rate and decay.
template <class B>
AdamStep<typename B::scalar> adam_step(const AdamW& o, const Update& update, const Trained<B, 2>& trained) {
  using T = typename B::scalar;
  const auto correct = [&](double beta) { return T(1 / (1 - std::pow(beta, double(update.number)))); };
  return {T(update.scale),   0,
          T(o.beta1),        T(o.beta2),
          T(o.eps),          0,
          correct(o.beta1),  correct(o.beta2),
          trained.params,    trained.gradient,
          trained.memory[0], trained.memory[1]};
}
}  // namespace detail

template <class B>
void adamw_step(const AdamW& o, const Update& update, const Trained<B, 2>& trained) {
  using T = typename B::scalar;
  for (const Leaf& leaf : trained.leaves) {
    auto kernel = detail::adam_step<B>(o, update, trained);
    kernel.rate = T(update.learning_rate * double(leaf.field.lr_scale)),
    kernel.decay = T(leaf.field.decays ? o.decay : 0);
    for (T** p : {&kernel.w, &kernel.g, &kernel.m, &kernel.v}) *p += leaf.offset;
    B::for_each(1, leaf.size, kernel);
  }
}

}  // namespace rwkv

#include <rwkv/training/gpu/adamw.hpp>
