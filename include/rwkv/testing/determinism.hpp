#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/agreement.hpp>
#include <rwkv/testing/layer_run.hpp>

namespace rwkv::testing {
namespace detail {

template <class L, class B>
class Determinism {
  using R = LayerRun<L, B>;

 public:
  explicit Determinism(const Options& options) : options_(options) {}

  std::optional<Finding> operator()(const Case& c) const {
    std::vector<double> one;
    for (const int threads : {1, 1, 2, 3}) {
      set_threads(threads);
      auto operands = R::operands(c, options_);
      auto r = R::both_ways(operands);
      std::vector<double> all = numbers(r.y);
      const std::size_t outputs = all.size();
      for (const auto& more : {numbers_of(r.state), numbers_of(r.dparams), numbers(r.dx), numbers_of(r.dstate)})
        all.insert(all.end(), more.begin(), more.end());
      if (one.empty()) one = all;
      const auto place = [&](std::size_t i) {
        return i < outputs ? "output, " + r.y.place(dim_t(i)) : "number " + std::to_string(i - outputs) + " after them";
      };
      auto finding =
          disagreement("the same bits on 1 and on " + std::to_string(threads) + " threads", one, all, 0, place);
      set_threads(0);
      if (finding) return finding;
    }
    return {};
  }

 private:
  const Options& options_;
};

}  // namespace detail

/// The same bits whenever it is computed, with any number of threads.
template <class L, class B = Cpu<float>>
Report check_determinism(const Options& options = {}) {
  return try_cases("check_determinism<" + detail::type_name<L>() + ">", options, detail::Determinism<L, B>(options));
}

}  // namespace rwkv::testing
