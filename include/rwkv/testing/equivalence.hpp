#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/tolerance.hpp>

namespace rwkv::testing {
namespace detail {

template <class L, class B>
class Equivalence {
  using R = LayerRun<L, B>;

 public:
  explicit Equivalence(const Options& options) : options_(options) {}

  std::optional<Finding> operator()(const Case& c) const {
    auto operands = R::operands(c, options_);
    auto whole = R::both_ways(operands);
    if (overflowed(c, options_, whole)) return {};
    const Tolerance allowed = tolerance<L, B>(c, operands, whole);
    if (auto f = cut("pieces that carry the state equal one run", operands, whole, c.pieces, allowed)) return f;
    return cut("token by token equals one run", operands, whole, std::vector<dim_t>(std::size_t(c.seq.time), 1),
               allowed);
  }

 private:
  /// Forwards through the pieces, then back from the last to the first with the gradient of the state.
  static std::optional<Finding> cut(const std::string& law, const typename R::Operands& all, typename R::Result& whole,
                                    const std::vector<dim_t>& pieces, const Tolerance& allowed) {
    std::vector<typename R::State> starts{all.start};
    dim_t first = 0;
    for (const dim_t n : pieces) {
      auto piece = all.part(first, n, starts.back());
      auto r = R::both_ways(piece);
      auto expected = whole.y.part(first, n);
      if (auto f = compare(law + ": outputs", expected, r.y, allowed.y, first)) return f;
      starts.push_back(std::move(r.state));
      first += n;
    }
    if (auto f = compare(law + ": final state", whole.state, starts.back(), allowed.state)) return f;

    typename R::Gradient dparams;
    typename R::State dstate({all.start.seq().batch, 1});
    for (std::size_t p = pieces.size(); p-- > 0;) {
      first -= pieces[p];
      auto piece = all.part(first, pieces[p], starts[p]);
      auto r = R::both_ways(piece, &dstate);
      auto expected = whole.dx.part(first, pieces[p]);
      if (auto f = compare(law + ": gradient of the input", expected, r.dx, allowed.dx, first)) return f;
      dstate = std::move(r.dstate);
      auto sum = dparams.download();
      const auto more = r.dparams.download();
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
      Accum<B>::upload(dparams.data(), sum.data(), dparams.size());
    }
    if (auto f = compare(law + ": gradients of the parameters", whole.dparams, dparams, allowed.dparams)) return f;
    return compare(law + ": gradient of the initial state", whole.dstate, dstate, allowed.dstate);
  }
  template <class S>
  static std::optional<Finding> compare(const std::string& law, S& expected, S& found, double allowed, dim_t first) {
    return disagreement(law, numbers(expected), numbers(found), allowed,
                        [&](std::size_t i) { return found.place(dim_t(i), first); });
  }
  template <class Machine, class P>
  static std::optional<Finding> compare(const std::string& law, const Owned<Machine, P>& expected,
                                        const Owned<Machine, P>& found, double allowed) {
    return disagreement(law, numbers_of(expected), numbers_of(found), allowed,
                        [&](std::size_t i) { return place_in(found, i); });
  }

  const Options& options_;
};

}  // namespace detail

/// One run over all tokens = pieces of any lengths that carry their state = token by token: outputs, final state, and
/// the gradients of input, parameters and initial state. What may be off follows from the scalar type, the length and
/// the layer: see `tolerance`.
template <class L, class B = Cpu<double>>
Report check_equivalence(const Options& options = {}) {
  return try_cases("check_equivalence<" + detail::type_name<L>() + ">", options, detail::Equivalence<L, B>(options));
}

}  // namespace rwkv::testing
