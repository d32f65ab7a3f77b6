#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/layer_run.hpp>
#include <rwkv/testing/tolerance.hpp>
#include <rwkv/testing/try_cases.hpp>

namespace rwkv::testing {
namespace detail {

/// Compares gradients of a layer with central differences, a few numbers of every tensor.
class GradientProbe {
 public:
  GradientProbe(const LayerUnderTest& layer, const Case& c, const Options& options)
      : layer_(layer), operands_(layer.operands(c, options)), draw_(c.seed + 1) {}

  std::optional<Finding> find() {
    const Result r = layer_.both_ways(operands_);
    if (auto f = bundle("parameter ", operands_.params, r.dparams)) return f;
    if (auto f = bundle("state ", operands_.start, r.dstate)) return f;
    for (int k = 0; k < probes && !r.dx.values.empty(); ++k) {
      const auto i = static_cast<std::size_t>(draw_.below(dim_t(r.dx.values.size())));
      if (auto f = number("input, " + r.dx.place(i), operands_.x.values[i], r.dx.values[i])) return f;
    }
    return {};
  }

 private:
  static constexpr int probes = 3;      // of every tensor
  static constexpr double step = 1e-5;  // about the cube root of the rounding: where bend and rounding are alike

  std::optional<Finding> bundle(const std::string& what, BundleNumbers& numbers, const BundleNumbers& gradient) {
    for (const Leaf& leaf : gradient.leaves)
      for (int k = 0; k < probes && leaf.size > 0; ++k) {
        const auto i = static_cast<std::size_t>(leaf.offset + draw_.below(leaf.size));
        if (auto f = number(what + gradient.place(i), numbers.values[i], gradient.values[i])) return f;
      }
    return {};
  }
  /// The derivative of the loss along x, over two distances: what they differ by is how much the curve bends, and what
  /// is left is rounding.
  std::optional<Finding> number(const std::string& place, double& x, double gradient) {
    const double keep = x;
    double size = 0;  // of what is added up to the loss
    const auto loss = [&](double by) {
      x = keep + by;
      const std::vector<double> y = layer_.forward(operands_).y.values;
      double sum = size = 0;
      for (std::size_t i = 0; i < y.size(); ++i) {
        const double term = operands_.weights.values[i] * y[i];
        sum += term, size += std::abs(term);
      }
      return sum;
    };
    const double near = (loss(step) - loss(-step)) / (2 * step), far = (loss(2 * step) - loss(-2 * step)) / (4 * step);
    x = keep;
    const double allowed = std::abs(near - far) + 4 * rounding(layer_.facts(), operands_.x.seq) * size / step;
    if (std::abs(near - gradient) <= allowed) return {};
    return Finding{"gradients are derivatives (expected: central difference)", place, near, gradient, allowed};
  }

  const LayerUnderTest& layer_;
  Operands operands_;
  Draw draw_;
};

}  // namespace detail

/// For a layer on a machine whose scalar is double.
inline Report check_gradients(const LayerUnderTest& layer, Options options = {}) {
  options.wild = false;  // differences say little about a function that runs away
  return try_cases("check_gradients<" + layer.facts().name + ">", options,
                   [&](const Case& c) { return detail::GradientProbe(layer, c, options).find(); });
}

/// Gradients of parameters, initial state and input against central differences in double, at a few numbers of every
/// tensor, on a machine whose scalar is double. What may be off follows from the differences themselves: how much they
/// bend, and their rounding.
template <class L, class B = Cpu<double>>
Report check_gradients(const Options& options = {}) {
  return check_gradients(LayerRun<L, B>(), options);
}

}  // namespace rwkv::testing
