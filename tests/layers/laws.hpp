#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/layers/layer.hpp>

// What every layer must satisfy, whatever it computes. A run is a pure function of (parameters, input, state), so each
// law compares two ways of computing the same thing.
namespace laws {

using namespace rwkv;

/// Of nets that read tokens.
inline constexpr dim_t vocabulary = 11;

/// Random numbers, one after another.
struct Draw {
  Random random{2024};
  std::uint64_t next = 0;
  double normal() { return random.normals(next++)[0]; }
  dim_t below(dim_t n) { return dim_t(random.below(std::uint64_t(n), next++)); }
};

/// A signal that owns its numbers: scalars, token numbers, or two signals.
template <class B, class S>
struct Signal {
  std::vector<typename B::scalar> values;
  View<typename B::scalar, S> view;
  Signal(Seq seq, Draw& draw) : values(std::size_t(S::size(seq))), view{values.data(), seq} {
    for (auto& x : values) x = typename B::scalar(draw.normal());
  }
  Signal(Seq seq) : values(std::size_t(S::size(seq))), view{values.data(), seq} {}
  template <class F>
  void each(F&& f) {
    for (auto& x : values) f(x);
  }
  /// Tokens [first, first + count) of every sequence.
  Signal part(dim_t first, dim_t count) const {
    Signal out({view.seq.batch, count});
    for (dim_t b = 0; b < view.seq.batch; ++b)
      for (dim_t i = 0; i < count * S::unit; ++i)
        out.values[std::size_t(b * count * S::unit + i)] =
            values[std::size_t((b * view.seq.time + first) * S::unit + i)];
    return out;
  }
};
template <class B>
struct Signal<B, Ids> {
  std::vector<std::int32_t> values;
  TokenIds view;
  Signal(Seq seq, Draw& draw) : values(std::size_t(seq.tokens())), view{values.data(), seq} {
    for (auto& x : values) x = std::int32_t(draw.below(vocabulary));
  }
  Signal(Seq seq) : values(std::size_t(seq.tokens())), view{values.data(), seq} {}
  template <class F>
  void each(F&&) {}
  Signal part(dim_t first, dim_t count) const {
    Signal out({view.seq.batch, count});
    for (dim_t b = 0; b < view.seq.batch; ++b)
      for (dim_t i = 0; i < count; ++i)
        out.values[std::size_t(b * count + i)] = values[std::size_t(b * view.seq.time + first + i)];
    return out;
  }
};
template <class B, class X, class Y>
struct Signal<B, Carry<X, Y>> {
  Signal<B, X> first;
  Signal<B, Y> second;
  TensorOf<B, Carry<X, Y>> view;
  Signal(Seq seq, Draw& draw) : first(seq, draw), second(seq, draw), view{first.view, second.view} {}
  Signal(Seq seq) : first(seq), second(seq), view{first.view, second.view} {}
  Signal(Signal<B, X> a, Signal<B, Y> b) : first(std::move(a)), second(std::move(b)), view{first.view, second.view} {}
  template <class F>
  void each(F&& f) {
    first.each(f), second.each(f);
  }
  Signal part(dim_t at, dim_t count) const { return {first.part(at, count), second.part(at, count)}; }
};

/// A layer with its numbers. The loss is sum(weights * y), so `weights` is the gradient that comes in.
template <class L, class B>
struct Run {
  using T = typename B::scalar;
  using Params = Owned<B, typename L::template Params<B>>;
  using State = Owned<B, typename L::template State<B>>;
  using In = Signal<B, typename L::In>;
  using Out = Signal<B, typename L::Out>;

  struct Result {
    std::vector<double> y;
    State state;
    Params dparams;
    std::vector<double> dx;
    State dstate;
    double loss = 0;
  };

  static Result forward_backward(const Params& params, In& x, const State& start, Out& weights,
                                 const State* dfinal = nullptr) {
    const Seq seq = seq_of(x.view);
    Context<B> ctx;
    Owned<B, typename L::template Cache<B>> cache(seq);
    Result r{{}, start, Params(), {}, dfinal ? *dfinal : State({seq.batch, 1}), 0};
    auto y = L::forward(ctx, params, x.view, cache.view(), r.state.view());
    read(y, r.y);
    std::size_t i = 0;
    weights.each([&](T& w) { r.loss += double(w) * r.y[i++]; });
    In dx(seq);
    L::backward(ctx, params, cache.view(), weights.view, dx.view, r.dparams.view(), r.dstate.view());
    dx.each([&](T& d) { r.dx.push_back(double(d)); });
    return r;
  }
  static void read(const auto& view, std::vector<double>& to) {
    if constexpr (requires { view.first; }) {
      read(view.first, to), read(view.second, to);
    } else {
      for (dim_t i = 0; i < view.size(); ++i) to.push_back(double(view[i]));
    }
  }

  /// Parameters away from their special initial values, where most gradients vanish.
  static Params random_params(Draw& draw) {
    Params params;
    params.reset(7);
    for (const Leaf& leaf : params.leaves())
      for (dim_t i = 0; i < leaf.size; ++i) params.data()[leaf.offset + i] += T(0.3 * draw.normal());
    return params;
  }
  /// The state after a few tokens: what a state of this layer looks like.
  static State used_state(const Params& params, dim_t batch, Draw& draw) {
    State state({batch, 1});
    state.reset();
    Context<B> ctx;
    const Seq seq{batch, 3};
    In x(seq, draw);
    Owned<B, typename L::template Cache<B>> cache(seq);
    L::forward(ctx, params, x.view, cache.view(), state.view());
    return state;
  }
};

inline double difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0, scale = 1;
  for (const double x : b) scale = std::max(scale, std::abs(x));
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!(std::abs(a[i] - b[i]) <= worst)) worst = std::abs(a[i] - b[i]);  // NaN counts
  }
  return worst / scale;
}
template <class B, class P>
double difference(const Owned<B, P>& a, const Owned<B, P>& b) {
  const auto x = a.download(), y = b.download();
  return difference(std::vector<double>(x.begin(), x.end()), std::vector<double>(y.begin(), y.end()));
}

inline void expect_slope(const std::string& what, double slope, double gradient) {
  INFO(what << ": central difference " << slope << ", gradient " << gradient);
  CHECK(std::abs(slope - gradient) <= 1e-7 * (10 + std::abs(slope)));
}

/// The slope of a loss along one number, by central differences.
template <class F>
double slope_along(double& number, F&& loss) {
  const double keep = number, h = 1e-5;
  number = keep + h;
  const double up = loss();
  number = keep - h;
  const double down = loss();
  number = keep;
  return (up - down) / (2 * h);
}

/// Some numbers of every leaf of a bundle.
template <class P, class F>
void check_slopes(Owned<Cpu<double>, P>& numbers, const Owned<Cpu<double>, P>& gradient, const char* what, int probes,
                  Draw& draw, F&& loss) {
  for (const Leaf& leaf : numbers.leaves())
    for (int k = 0; k < probes && leaf.size > 0; ++k) {
      const dim_t i = leaf.offset + draw.below(leaf.size);
      expect_slope(what + leaf.name + "[" + std::to_string(i - leaf.offset) + "]", slope_along(numbers.data()[i], loss),
                   gradient.data()[i]);
    }
}

template <class L>
void gradients_are_slopes(Seq seq, Draw& draw) {
  using B = Cpu<double>;
  using R = Run<L, B>;
  auto params = R::random_params(draw);
  typename R::In x(seq, draw);
  typename R::Out weights(seq, draw);
  auto start = R::used_state(params, seq.batch, draw);
  const auto r = R::forward_backward(params, x, start, weights);
  const auto loss = [&] { return R::forward_backward(params, x, start, weights).loss; };
  const int probes = seq.tokens() > 20 ? 1 : 4;
  check_slopes(params, r.dparams, "parameter ", probes, draw, loss);
  check_slopes(start, r.dstate, "state ", probes, draw, loss);
  std::size_t i = 0;
  x.each([&](double& number) {
    const double g = r.dx[i++];
    if (draw.below(dim_t(r.dx.size())) < 4 * probes)
      expect_slope("input " + std::to_string(i - 1), slope_along(number, loss), g);
  });
}

/// One run over all tokens against pieces that carry their state: outputs, final state and, walking the pieces back
/// with the gradient of the state, all gradients.
template <class L, class B>
void pieces_equal_whole(Seq seq, const std::vector<dim_t>& pieces, double tolerance, Draw& draw) {
  using R = Run<L, B>;
  const auto params = R::random_params(draw);
  typename R::In x(seq, draw);
  typename R::Out weights(seq, draw);
  const auto start = R::used_state(params, seq.batch, draw);
  const auto whole = R::forward_backward(params, x, start, weights);

  std::vector<typename R::State> starts{start};
  std::vector<std::vector<double>> ys;
  dim_t first = 0;
  for (const dim_t n : pieces) {
    auto part = x.part(first, n);
    auto w = weights.part(first, n);
    auto r = R::forward_backward(params, part, starts.back(), w);
    ys.push_back(r.y);
    starts.push_back(r.state);
    first += n;
  }
  REQUIRE(first == seq.time);
  CHECK(difference(starts.back(), whole.state) <= tolerance);
  // Outputs are (batch, time, unit): compare piece by piece.
  first = 0;
  const std::size_t unit = seq.tokens() > 0 ? whole.y.size() / std::size_t(seq.tokens()) : 0;
  if constexpr (!requires {
                  whole.y;
                  weights.first;
                }) {
    for (std::size_t p = 0; p < pieces.size(); first += pieces[p], ++p)
      for (dim_t b = 0; b < seq.batch; ++b)
        for (std::size_t i = 0; i < std::size_t(pieces[p]) * unit; ++i) {
          const double a = ys[p][std::size_t(b * pieces[p]) * unit + i];
          const double z = whole.y[std::size_t(b * seq.time + first) * unit + i];
          if (!(std::abs(a - z) <= tolerance * std::max(1.0, std::abs(z)))) FAIL_CHECK("output " << a << " != " << z);
        }
  }
  // Backwards through the pieces.
  typename R::Params dparams;
  typename R::State dstate({seq.batch, 1});
  for (std::size_t p = pieces.size(); p-- > 0;) {
    first -= pieces[p];
    auto part = x.part(first, pieces[p]);
    auto w = weights.part(first, pieces[p]);
    const auto r = R::forward_backward(params, part, starts[p], w, &dstate);
    dstate = r.dstate;
    for (dim_t i = 0; i < dparams.size(); ++i) dparams.data()[i] += r.dparams.data()[i];
  }
  CHECK(difference(dparams, whole.dparams) <= 10 * tolerance);
  CHECK(difference(dstate, whole.dstate) <= 10 * tolerance);
}

/// Gradients are added to what is there; a copied state goes on like the original; no tokens change nothing.
template <class L>
void bundles_behave(Seq seq, Draw& draw) {
  using B = Cpu<double>;
  using R = Run<L, B>;
  const auto params = R::random_params(draw);
  typename R::In x(seq, draw);
  typename R::Out weights(seq, draw);
  const auto start = R::used_state(params, seq.batch, draw);

  Context<B> ctx;
  Owned<B, typename L::template Cache<B>> cache(seq);
  CHECK(cache.size() >= elements<typename L::template Cache<B>>(seq));
  auto state = start;
  L::forward(ctx, params, x.view, cache.view(), state.view());
  typename R::Params once, twice;
  typename R::In dx(seq);
  for (auto* sum : {&once, &twice, &twice}) {
    typename R::State dstate({seq.batch, 1});
    L::backward(ctx, params, cache.view(), weights.view, dx.view, sum->view(), dstate.view());
  }
  for (dim_t i = 0; i < once.size(); ++i) once.data()[i] *= 2;
  CHECK(difference(twice, once) <= 1e-13);

  const auto copy = state;
  CHECK(copy == state);
  typename R::Out w(seq, draw);
  const auto a = R::forward_backward(params, x, state, w), b = R::forward_backward(params, x, copy, w);
  CHECK(a.y == b.y);
  CHECK(a.state == b.state);

  const Seq none{seq.batch, 0};
  typename R::In nothing(none);
  typename R::Out no_weights(none);
  typename R::State dfinal({seq.batch, 1});
  for (dim_t i = 0; i < dfinal.size(); ++i) dfinal.data()[i] = draw.normal();
  const auto idle = R::forward_backward(params, nothing, state, no_weights, &dfinal);
  CHECK(idle.state == state);
  CHECK(difference(idle.dparams, typename R::Params()) == 0);
}

/// The same bits for any number of threads.
template <class L>
void threads_do_not_matter(Seq seq, Draw& draw) {
  using B = Cpu<float>;
  using R = Run<L, B>;
  const auto params = R::random_params(draw);
  typename R::In x(seq, draw);
  typename R::Out weights(seq, draw);
  const auto start = R::used_state(params, seq.batch, draw);
  set_threads(1);
  const auto one = R::forward_backward(params, x, start, weights);
  for (const int n : {2, 3}) {
    set_threads(n);
    const auto many = R::forward_backward(params, x, start, weights);
    CHECK(many.y == one.y);
    CHECK(many.dx == one.dx);
    CHECK(many.state == one.state);
    CHECK(many.dparams == one.dparams);
    CHECK(many.dstate == one.dstate);
  }
  set_threads(0);
}

/// Every law, at one token, at a few, and at more than a span of them.
template <class L>
void hold() {
  Draw draw;
  for (const Seq seq : {Seq{1, 1}, Seq{2, 5}, Seq{3, 37}}) {
    CAPTURE(seq.batch);
    CAPTURE(seq.time);
    gradients_are_slopes<L>(seq, draw);
    bundles_behave<L>(seq, draw);
  }
  threads_do_not_matter<L>({3, 37}, draw);
  pieces_equal_whole<L, Cpu<double>>({2, 7}, {1, 1, 1, 1, 1, 1, 1}, 1e-12, draw);
  pieces_equal_whole<L, Cpu<double>>({2, 71}, {33, 0, 1, 37}, 1e-12, draw);
  pieces_equal_whole<L, Cpu<float>>({2, 71}, {40, 31}, 2e-5, draw);
  pieces_equal_whole<L, Cpu<float>>({1, 9}, {1, 1, 1, 1, 1, 1, 1, 1, 1}, 2e-5, draw);
}

}  // namespace laws
