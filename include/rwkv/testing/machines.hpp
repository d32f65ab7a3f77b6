#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/results.hpp>
#include <rwkv/testing/tolerance.hpp>

namespace rwkv::testing {
namespace detail {

template <class L, class B>
class Machines {
  using Home = Cpu<typename B::scalar>;
  using Here = LayerRun<L, Home>;
  using There = LayerRun<L, B>;

 public:
  explicit Machines(const Options& options) : options_(options) {}

  std::optional<Finding> operator()(const Case& c) const {
    auto here = Here::operands(c, options_);
    auto there = There::operands(c, options_);
    if (auto f = same_bundle("the same seed gives the same parameters", here.params, there.params, 0)) return f;
    const auto start = here.start.download();
    Accum<B>::upload(there.start.data(), start.data(), there.start.size());
    auto expected = Here::both_ways(here);
    auto found = There::both_ways(there);
    if (overflowed(c, options_, expected)) return {};
    const Tolerance allowed = tolerance<L, Home>(c, here, expected);
    return same_results("both machines agree", expected, found, allowed);
  }

 private:
  const Options& options_;
};

}  // namespace detail

/// A layer on machine B gives what it gives on the processor, within rounding: outputs, state and all gradients; the
/// same seed gives the same parameters, to the bit.
template <class L, class B>
Report check_machines(const Options& options = {}) {
  return try_cases("check_machines<" + detail::type_name<L>() + ">", options, detail::Machines<L, B>(options));
}

}  // namespace rwkv::testing
