#pragma once
#include <rwkv/training/optimizer.hpp>

namespace test {

/// v <- momentum v + g, w <- w - rate v: an optimizer as a user would write it.
struct Sgd {
  double momentum = 0.9;

  static constexpr std::array memory{"sgd.v."};

  template <class T>
  struct Step {
    T scale, rate, momentum;
    T *w, *g, *v;
    RWKV_HD void operator()(rwkv::dim_t, auto i) const {
      const auto v_i = rwkv::load(v, i) * momentum + rwkv::load(g, i) * scale;
      rwkv::store(v, i, v_i);
      rwkv::store(w, i, rwkv::load(w, i) - v_i * rate);
      rwkv::store(g, i, rwkv::At<T, decltype(i)>{});
    }
  };
  template <class B>
  void step(const rwkv::Update& update, const rwkv::Trained<B, 1>& trained) const {
    using T = typename B::scalar;
    for (const rwkv::Leaf& leaf : trained.leaves)
      B::for_each(
          1, leaf.size,
          Step<T>{T(update.scale), T(update.learning_rate * leaf.field.lr_scale), T(momentum),
                  trained.params + leaf.offset, trained.gradient + leaf.offset, trained.memory[0] + leaf.offset});
  }
};

}  // namespace test
