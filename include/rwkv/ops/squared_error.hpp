#pragma once
#include <rwkv/ops/norm.hpp>
#include <rwkv/ops/rows.hpp>

namespace rwkv {
namespace detail {
/// loss = sum (y - target)^2 of a row; with Gradient, y becomes `scale` (y - target).
template <class T, dim_t C, bool Gradient>
struct SquaredErrorRow {
  using Number = compute_of<T>;
  Number scale;
  const T* target;
  T* y;
  Number* loss;
  RWKV_HD void operator()(dim_t r) const {
    using Row = rwkv::Row<T, C>;
    T* y_r = y + r * C;
    const T* target_r = target + r * C;
    loss[r] = Row::sum([&](auto c) {
      const auto d = load(y_r, c) - load(target_r, c);
      return d * d;
    });
    if constexpr (Gradient) Row::each([&](auto c) { store(y_r, c, (load(y_r, c) - load(target_r, c)) * scale); });
  }
};

template <bool Gradient, class B, dim_t C>
double squared_error(Scratch<B>& scratch, Tensor<B, Batch, Time, C> y, Tensor<B, Batch, Time, C> target,
                     double weight) {
  using Kernel = SquaredErrorRow<typename B::scalar, C, Gradient>;
  using Number = typename Kernel::Number;
  const auto frame = scratch.frame();
  const dim_t tokens = y.seq.tokens();
  Number* losses = scratch.accum(tokens);
  B::for_each_row(tokens, Kernel{Number(2 * weight / double(y.size())), target.data, y.data, losses});
  return sum_on_host<B>(tokens, losses) / double(y.size());
}
}  // namespace detail

/// Mean of (y - target)^2 over all numbers.
template <class B, dim_t C>
double squared_error(Scratch<B>& scratch, Tensor<B, Batch, Time, C> y, Tensor<B, Batch, Time, C> target) {
  return detail::squared_error<false, B, C>(scratch, y, target, 0);
}
/// The same, and y becomes its gradient times `weight`.
template <class B, dim_t C>
double squared_error_backward(Scratch<B>& scratch, Tensor<B, Batch, Time, C> y, Tensor<B, Batch, Time, C> target,
                              double weight = 1) {
  return detail::squared_error<true, B, C>(scratch, y, target, weight);
}

/// The squared error to a target as a loss for a Trainer: trainer.step(x, SquaredError(target)).
template <class T, class S>
class SquaredError {
 public:
  explicit SquaredError(View<T, S> target) : target_(target) {}
  template <class B>
  double operator()(Scratch<B>& scratch, View<T, S> y, double weight) const {
    return squared_error_backward<B>(scratch, y, target_, weight);
  }

 private:
  View<T, S> target_;
};

}  // namespace rwkv
