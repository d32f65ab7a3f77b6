#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/agreement.hpp>
#include <rwkv/testing/layer_run.hpp>

namespace rwkv::testing {
namespace detail {

template <class L, class B>
class Gradients {
  using R = LayerRun<L, B>;

 public:
  explicit Gradients(const Options& options) : options_(options) {}

  std::optional<Finding> operator()(const Case& c) const {
    auto o = R::operands(c, options_);
    auto r = R::both_ways(o);
    Draw draw(c.seed + 1);
    const auto dx = numbers(r.dx);
    std::optional<Finding> finding;
    bundle(o.params, r.dparams, "parameter ", o, draw, finding);
    bundle(o.start, r.dstate, "state ", o, draw, finding);
    for (int k = 0; k < probes && !dx.empty() && !finding; ++k) {
      const auto at = std::size_t(draw.below(dim_t(dx.size())));
      const double keep = numbers(o.x)[at];
      probe("input, " + o.x.place(dim_t(at)), dx[at], o, finding, [&](double by) {
        std::size_t i = 0;
        o.x.each([&](double& x) { x = i++ == at ? keep + by : x; });
      });
    }
    return finding;
  }

 private:
  static constexpr int probes = 3;  // of every tensor

  template <class P>
  static void bundle(Owned<B, P>& numbers, const Owned<B, P>& gradient, const std::string& what,
                     typename R::Operands& o, Draw& draw, std::optional<Finding>& finding) {
    for (const Leaf& leaf : numbers.leaves())
      for (int k = 0; k < probes && leaf.size > 0 && !finding; ++k) {
        const dim_t i = leaf.offset + draw.below(leaf.size);
        double keep = 0, derivative = 0;
        B::download(&keep, numbers.data() + i, 1);
        B::download(&derivative, gradient.data() + i, 1);
        probe(what + place_in(numbers, std::size_t(i)), derivative, o, finding, [&](double by) {
          const double moved = keep + by;
          B::upload(numbers.data() + i, &moved, 1);
        });
      }
  }
  /// The derivative of the loss along the number that move(by) sets to its value + by, over two distances: what they
  /// differ by is how much the curve bends, and what is left is rounding.
  template <class Move>
  static void probe(const std::string& place, double gradient, typename R::Operands& o, std::optional<Finding>& finding,
                    Move&& move) {
    double size = 0;  // of what is added up to the loss
    const auto loss = [&](double by) {
      move(by);
      auto y = R::forward(o);
      const auto outputs = numbers(y), weights = numbers(o.weights);
      double sum = size = 0;
      for (std::size_t i = 0; i < outputs.size(); ++i)
        sum += weights[i] * outputs[i], size += std::abs(weights[i] * outputs[i]);
      return sum;
    };
    const double near = (loss(step) - loss(-step)) / (2 * step), far = (loss(2 * step) - loss(-2 * step)) / (4 * step);
    move(0);
    const double allowed = std::abs(near - far) + 4 * rounding<L, B>(seq_of(o.x.view())) * size / step;
    if (!(std::abs(near - gradient) <= allowed))
      finding = Finding{"gradients are derivatives (expected: central difference)", place, near, gradient, allowed};
  }
  static constexpr double step = 1e-5;  // about the cube root of the rounding: where bend and rounding are alike

  const Options& options_;
};

}  // namespace detail

/// Gradients of parameters, initial state and input against central differences in double, at a few numbers of every
/// tensor, on a machine whose scalar is double. What may be off follows from the differences themselves: how much they
/// bend, and their rounding.
template <class L, class B = Cpu<double>>
Report check_gradients(Options options = {}) {
  options.wild = false;  // differences say little about a function that runs away
  return try_cases("check_gradients<" + detail::type_name<L>() + ">", options, detail::Gradients<L, B>(options));
}

}  // namespace rwkv::testing
