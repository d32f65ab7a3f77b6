#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/determinism.hpp>
#include <rwkv/testing/equivalence.hpp>
#include <rwkv/testing/results.hpp>

namespace rwkv::testing {
namespace detail {

template <class L, class B>
class Precision {
  using Short = LayerRun<L, B>;
  using Long = LayerRun<L, Accum<B>>;

 public:
  explicit Precision(const Options& options) : options_(options) {}

  std::optional<Finding> operator()(const Case& c) const {
    auto operands = Short::operands(c, options_);
    auto full = Long::operands(c, options_);
    const auto params = operands.params.download();
    const std::vector<typename Long::T> same(params.begin(), params.end());
    Accum<B>::upload(full.params.data(), same.data(), full.params.size());
    take(operands.x, full.x), take(operands.weights, full.weights);
    full.start = operands.start;
    auto found = Short::both_ways(operands);
    auto expected = Long::both_ways(full);
    if (overflowed(c, options_, expected)) return {};
    const Tolerance allowed = tolerance<L, B>(c, operands, found);
    return same_results("shortened numbers", expected, found, allowed);
  }

 private:
  template <class From, class To>
  static void take(From& from, To& to) {
    const auto all = numbers(from);
    std::size_t i = 0;
    to.each([&](auto& x) { x = static_cast<std::remove_cvref_t<decltype(x)>>(all[i++]); });
  }

  const Options& options_;
};

}  // namespace detail

/// A layer on a machine that stores its numbers shortened gives, from the same numbers, what it gives in full length:
/// outputs, state and all gradients, within the rounding of what is stored.
template <class L, class B = Cpu<bf16>>
Report check_precision(const Options& options = {}) {
  return try_cases("check_precision<" + detail::type_name<L>() + ">", options, detail::Precision<L, B>(options));
}

/// All laws of a layer on such a machine. Its gradients are those in full length within rounding, and those are
/// derivatives: differences of rounded numbers would say little.
template <class L, class B = Cpu<bf16>>
Report check_short_laws(const Options& options = {}) {
  Report report = check_precision<L, B>(options);
  if (report) report = check_equivalence<L, B>(options);
  if (report) report = check_bundles<L, B>(options);
  if (report) report = check_determinism<L, B>(options);
  return report;
}

}  // namespace rwkv::testing
