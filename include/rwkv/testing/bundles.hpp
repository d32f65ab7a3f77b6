#pragma once
#include <unistd.h>

#include <filesystem>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/io/safetensors.hpp>
#include <rwkv/testing/agreement.hpp>
#include <rwkv/testing/layer_run.hpp>

namespace rwkv::testing {
namespace detail {

template <class L, class B>
class Bundles {
  using R = LayerRun<L, B>;

 public:
  explicit Bundles(const Options& options) : options_(options) {}

  std::optional<Finding> operator()(const Case& c) const {
    auto o = R::operands(c, options_);
    auto r = R::both_ways(o);

    // Backward adds: what is there already stays.
    Context<B> ctx;
    typename R::Cache cache(c.seq);
    auto state = o.start;
    L::forward(ctx, o.params, o.x.view(), cache.view(), state.view());
    typename R::Gradient sum;
    typename R::In dx(c.seq);
    for (int i = 0; i < 2; ++i) {
      typename R::State dstate({c.seq.batch, 1});
      auto weights = o.weights;
      L::backward(ctx, o.params, cache.view(), weights.view(), dx.view(), sum.view(), dstate.view());
    }
    auto twice = numbers_of(r.dparams);
    for (double& x : twice) x *= 2;
    const double allowed = 4 * rounding<L, B>(c.seq) * std::max(1.0, largest(twice));
    if (auto f = disagreement("backward adds to the gradients: twice is double", twice, numbers_of(sum), allowed,
                              [&](std::size_t i) { return place_in(sum, i); }))
      return f;

    // A copy goes on like the original, and so does what was saved.
    auto copy = r.state;
    if (auto f = same("a copied state is equal", r.state, copy)) return f;
    if (auto f = goes_on("a copied state goes on like the original", o, r.state, copy)) return f;
    if (r.state.size() > 0) {
      const auto file =
          std::filesystem::temp_directory_path() / ("rwkv-state-" + std::to_string(::getpid()) + ".safetensors");
      save(r.state, file.string());
      typename R::State loaded({c.seq.batch, 1});
      load(loaded, file.string());
      std::filesystem::remove(file);
      if (auto f = same("a saved and loaded state is equal", r.state, loaded)) return f;
    }

    // No tokens change nothing.
    auto none = o.part(0, 0, o.start);
    auto idle = R::both_ways(none, &r.state);
    if (auto f = same("no tokens leave the state as it was", o.start, idle.state)) return f;
    return same("no tokens add no gradient", typename R::Gradient(), idle.dparams);
  }

 private:
  template <class Machine, class P>
  static std::optional<Finding> same(const std::string& law, const Owned<Machine, P>& a, const Owned<Machine, P>& b) {
    return disagreement(law, numbers_of(a), numbers_of(b), 0, [&](std::size_t i) { return place_in(b, i); });
  }
  static std::optional<Finding> goes_on(const std::string& law, const typename R::Operands& o,
                                        const typename R::State& a, const typename R::State& b) {
    auto one = o, other = o;
    one.start = a, other.start = b;
    auto y = R::forward(one), z = R::forward(other);
    return disagreement(law, numbers(y), numbers(z), 0, [&](std::size_t i) { return z.place(dim_t(i)); });
  }

  const Options& options_;
};

}  // namespace detail

/// Gradients are added to what is there; a state is a value: copied, saved and loaded it goes on the same; no tokens
/// change nothing. That `fields` forgets no member is checked when the bundle is compiled.
template <class L, class B = Cpu<double>>
Report check_bundles(Options options = {}) {
  options.wild = false;
  return try_cases("check_bundles<" + detail::type_name<L>() + ">", options, detail::Bundles<L, B>(options));
}

}  // namespace rwkv::testing
