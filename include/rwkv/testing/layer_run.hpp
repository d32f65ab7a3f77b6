#pragma once
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <limits>

#include <rwkv/io/bundle_reader.hpp>
#include <rwkv/io/safetensors_file.hpp>
#include <rwkv/io/save.hpp>
#include <rwkv/layers/check_layer.hpp>
#include <rwkv/testing/layer_under_test.hpp>
#include <rwkv/testing/report.hpp>
#include <rwkv/testing/signal_memory.hpp>

namespace rwkv::testing {
namespace detail {
template <class B>
BundleNumbers numbers_of(const LeafMemory<B>& bundle) {
  const auto host = bundle.download();
  return {{host.begin(), host.end()}, bundle.leaves()};
}
template <class B>
void write(LeafMemory<B>& bundle, const BundleNumbers* numbers) {
  if (numbers == nullptr) return;
  const std::vector<typename B::scalar> host(numbers->values.begin(), numbers->values.end());
  B::upload(bundle.data(), host.data(), bundle.size());
}
/// The state after a way around through a file.
template <class B>
void save_and_load(const LeafMemory<B>& from, LeafMemory<B>& to) {
  const char* const folder = std::getenv("TMPDIR");
  const std::string path =
      std::string(folder ? folder : "/tmp") + "/rwkv-state-" + std::to_string(::getpid()) + ".safetensors";
  save(from, path);
  read_bundle(SafetensorsFile(path), "", to);
  std::remove(path.c_str());
}
}  // namespace detail

/// Layer L on machine B. The only part of the kit that is compiled for each of them: it calls forward and backward in
/// one place.
template <class L, class B>
class LayerRun final : public LayerUnderTest {
  static_assert(sizeof(rwkv::detail::CheckedCalls<B, L>) > 0);  // says what the layer lacks
  using T = typename B::scalar;
  using Params = Owned<B, typename L::template Params<B>>;
  using Cache = Owned<B, typename L::template Cache<B>>;
  using State = Owned<Accum<B>, typename L::template State<Accum<B>>>;
  using Gradient = Owned<Accum<B>, typename L::template Params<Accum<B>>>;
  using In = SignalMemory<B, typename L::In>;
  using Out = SignalMemory<B, typename L::Out>;

 public:
  LayerRun() : LayerUnderTest(make_facts()) {}

  BundleNumbers initial_parameters(std::uint64_t seed) const override {
    Params params;
    params.reset(seed);
    return detail::numbers_of(params);
  }
  BundleNumbers initial_state(dim_t batch) const override {
    State state({batch, 1});
    state.reset();
    return detail::numbers_of(state);
  }
  double stored(double x) const override { return double(T(x)); }

  BundleNumbers state_after(Way way, const BundleNumbers& values, dim_t batch) const override {
    State state({batch, 1});
    detail::write(state, &values);
    if (way == Way::copied) {
      const State copy = state;
      state.zero();
      return detail::numbers_of(copy);
    }
    State loaded({batch, 1});
    detail::save_and_load<Accum<B>>(state, loaded);
    return detail::numbers_of(loaded);
  }

 private:
  Result run(const Operands& o, Ways ways, const BundleNumbers* dfinal, const BundleNumbers* before) const override {
    const Seq seq = o.x.seq;
    Context<B> ctx;
    ctx.dropout = o.dropout;
    Params params;
    detail::write(params, &o.params);
    State state({seq.batch, 1});
    detail::write(state, &o.start);
    Cache cache(seq);
    In x(o.x);
    const auto y = L::forward(ctx, params, x.view(), cache.view(), state.view());
    Result r{{seq, facts().out, signal_values<B>(y)}, detail::numbers_of(state), {}, {}, {}};
    if (ways == Ways::forward) return r;

    Out weights(o.weights);  // a layer may use dy's memory
    In dx(seq);
    Gradient dparams(Seq{}, {.trained_only = true});
    detail::write(dparams, before);
    State dstate({seq.batch, 1});
    detail::write(dstate, dfinal);
    typename L::template Params<Accum<B>> nothing{};
    L::backward(ctx, params, cache.view(), weights.view(), dx.view(),
                ways == Ways::both_frozen ? nothing : dparams.view(), dstate.view());
    r.dparams = detail::numbers_of(dparams), r.dstate = detail::numbers_of(dstate);
    r.dx = {seq, facts().reads_tokens ? std::vector<dim_t>() : facts().in, signal_values<B>(dx.view())};
    return r;
  }

  static Facts make_facts() {
    using Number = compute_of<T>;
    typename L::template Cache<B> kept{};
    int tensors = 0;
    for_each_leaf([&](auto&, auto&, auto&) { ++tensors; }, kept);
    const auto unit = [](auto limits) { return double(limits.epsilon()) / 2; };
    return {detail::type_name<L>(),
            In::reads_tokens,
            In::channels(),
            Out::channels(),
            L::flops,
            tensors,
            unit(std::numeric_limits<Number>()),
            std::is_same_v<T, Number> ? 0 : unit(std::numeric_limits<T>())};
  }
};

}  // namespace rwkv::testing
