#pragma once
#include <algorithm>
#include <cmath>
#include <numbers>

#include <rwkv/core/config.hpp>
#include <rwkv/core/ranges.hpp>

namespace rwkv {

/// The learning rate of every step: a linear rise over `warmup` steps, then a curve down to `final_learning_rate` at
/// `steps`.
struct Schedule {
  enum class Curve { constant, cosine, exponential };

  double learning_rate = 6e-4, final_learning_rate = 1e-5;
  dim_t warmup = 20, steps = 0;  ///< steps: where the curve ends; 0: no curve, the rate is constant
  Curve curve = Curve::constant;

  /// Error unless every setting lies within its range.
  [[gnu::cold, gnu::noinline]] void check() const {
    const detail::Ranges ranges("Schedule");
    ranges.at_least_0("learning_rate", learning_rate);
    ranges.at_least_0("final_learning_rate", final_learning_rate);
    ranges.at_least(0, "warmup", warmup);
    ranges.at_least(0, "steps", steps);
  }
  /// Step 0 is the first. The rise starts at 1 / (warmup + 1) of the rate and reaches it in step `warmup`.
  double operator()(dim_t step) const {
    const double rise = std::min(1.0, (double(step) + 1) / (double(warmup) + 1));
    if (curve == Curve::constant || steps <= warmup) return learning_rate * rise;
    const double progress = std::clamp(double(step - warmup) / double(steps - warmup), 0.0, 1.0);
    if (curve == Curve::cosine)
      return rise * (final_learning_rate +
                     (learning_rate - final_learning_rate) * (1 + std::cos(std::numbers::pi * progress)) / 2);
    if (learning_rate <= 0 || final_learning_rate <= 0)
      return rise * (learning_rate + (final_learning_rate - learning_rate) * progress);
    return rise * learning_rate * std::exp(std::log(final_learning_rate / learning_rate) * progress);
  }
};

}  // namespace rwkv
