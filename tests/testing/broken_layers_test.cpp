#include <atomic>
#include <limits>

#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/v4/time_mix.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/laws.hpp>
#include <rwkv/testing/machines.hpp>

// The kit is only worth something if it finds what is broken: one flaw each, in a layer that is sound.
using namespace rwkv;
using testing::Options;
using testing::Report;

namespace {

using Sound = v4::TimeMix<6>;
template <class B>
using Params = Sound::Params<B>;
template <class B>
using Cache = Sound::Cache<B>;
template <class B>
using State = Sound::State<B>;

/// Sound, with something done before or after it.
template <class Flaw>
struct Broken : Sound {
  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, State<B>& s) {
    if constexpr (requires { &Flaw::template before<State<Accum<B>>>; }) Flaw::before(s);
    auto y = Sound::forward(ctx, p, x, c, s);
    if constexpr (requires { &Flaw::template leave<State<Accum<B>>>; }) Flaw::leave(s);
    if constexpr (requires { &Flaw::template give<TensorOf<B, Out>>; }) Flaw::give(y);
    return y;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<B>& dp, State<B>& ds) {
    if constexpr (requires { Flaw::replace(dp); }) Flaw::replace(dp);
    Sound::backward(ctx, p, c, dy, dx, dp, ds);
    if constexpr (requires { Flaw::spoil(dx, dp, ds); }) Flaw::spoil(dx, dp, ds);
  }
};

struct Forgets {
  static void before(auto& s) { std::fill_n(s.last.data, s.last.size(), 0); }
};
struct LosesPrecision {  // one number of the state is kept in half precision
  static void leave(auto& s) {
    if (s.wkv.size() > 0) s.wkv[1] = double(float(s.wkv[1] * 1024)) / 1024;
  }
};
struct InputOnePartInTenThousand {
  static void spoil(auto& dx, auto&, auto&) {
    for (dim_t i = 0; i < dx.size(); ++i) dx[i] *= 1.0001;
  }
};
struct DecayForgotten {
  static void spoil(auto&, auto& dp, auto&) { std::fill_n(dp.time_decay.data, dp.time_decay.size(), 0); }
};
struct StateGradientForgotten {
  static void spoil(auto&, auto&, auto& ds) { std::fill_n(ds.last.data, ds.last.size(), 0); }
};
struct Overwrites {
  static void replace(auto& dp) { std::fill_n(dp.output.weight.data, dp.output.weight.size(), 0); }
};
struct CountsThreads {
  static void give(auto& y) {
    if (y.size() > 7) y[7] *= 1 + 1e-6f * float(pool().threads());
  }
};
struct NotANumber {
  static void give(auto& y) {
    if (y.seq.time == 1 && y.size() > 2) y[2] = std::numeric_limits<double>::quiet_NaN();
  }
};

/// A machine that is the processor by another name, and a layer that is one part in a million off there.
template <class T>
struct Elsewhere : Cpu<T> {};
struct DiffersElsewhere : Sound {
  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, State<B>& s) {
    auto y = Sound::forward(ctx, p, x, c, s);
    if constexpr (std::is_same_v<B, Elsewhere<double>>)
      if (y.size() > 4) y[4] *= 1 + 1e-6;
    return y;
  }
};

bool says(const Report& report, const std::string& words) {
  const bool found = !report && report.text().find(words) != std::string::npos;
  if (!found) MESSAGE(report.text());
  return found;
}

}  // namespace

TEST_CASE("a forgotten state is found, and shrunk to two tokens") {
  const Report report = testing::check_equivalence<Broken<Forgets>>();
  CHECK(says(report, "token by token equals one run: outputs"));
  CHECK(says(report, "batch 1, time 2 = 2, usual values"));
  CHECK(says(report, "sequence 0, token 1, channel "));
  CHECK(says(report, "check_equivalence<"));
}
TEST_CASE("gradients that are a little off are found") {
  CHECK(says(testing::check_gradients<Broken<InputOnePartInTenThousand>>(), "input, sequence"));
  CHECK(says(testing::check_gradients<Broken<DecayForgotten>>(), "parameter time_decay["));
  CHECK(says(testing::check_gradients<Broken<StateGradientForgotten>>(), "state last["));
}
TEST_CASE("a state that loses digits between pieces is found in double") {
  CHECK(says(testing::check_equivalence<Broken<LosesPrecision>>(), "equals one run"));
}
TEST_CASE("overwriting gradients, counting threads and NaN are found") {
  CHECK(says(testing::check_bundles<Broken<Overwrites>>(), "backward adds"));
  CHECK(says(testing::check_determinism<Broken<CountsThreads>>(), "the same bits on 1 and on 2 threads"));
  CHECK(says(testing::check_equivalence<Broken<NotANumber>>(), "found     nan"));
  CHECK_FALSE(testing::check_laws<Broken<Overwrites>>());
}
TEST_CASE("a layer that computes something else on another machine is found") {
  CHECK(says(testing::check_machines<DiffersElsewhere, Elsewhere<double>>(), "both machines agree: outputs"));
  CHECK(testing::check_machines<Sound, Elsewhere<double>>());
}
TEST_CASE("the same seed gives the same report; another one other cases") {
  using L = Broken<Forgets>;
  CHECK(testing::check_equivalence<L>({.seed = 5}).text() == testing::check_equivalence<L>({.seed = 5}).text());
  CHECK(testing::check_equivalence<L>({.seed = 5}).first != testing::check_equivalence<L>({.seed = 6}).first);
  CHECK(testing::check_equivalence<L>({.seed = 5}).first.find("seed ") != std::string::npos);
}
TEST_CASE("drawn cases cover the edges") {
  bool none = false, one = false, beyond = false, wild = false, empty_piece = false;
  for (int i = 0; i < 32; ++i) {
    const testing::Case c = testing::draw_case({.cases = 32}, i);
    dim_t sum = 0;
    for (const dim_t n : c.pieces) sum += n, empty_piece |= n == 0 && c.seq.time > 0;
    CHECK(sum == c.seq.time);
    none |= c.seq.time == 0, one |= c.seq.time == 1, beyond |= c.seq.time > span, wild |= c.wild;
    for (const testing::Case& next : testing::smaller(c)) {
      dim_t rest = 0;
      for (const dim_t n : next.pieces) rest += n;
      CHECK(rest == next.seq.time);
      CHECK(next != c);
    }
  }
  CHECK((none && one && beyond && wild && empty_piece));
}
TEST_CASE("a report says that a law holds, and in how many cases") {
  const Report report = testing::check_gradients<LayerNorm<5>>({.cases = 3});
  testing::expect(report);
  CHECK(report.text() == "check_gradients<LayerNorm<5>>: holds in 3 cases");
  CHECK(
      testing::check_laws<LayerNorm<5>>({.cases = 2}).text() ==
      "check_laws<LayerNorm<5>>: gradients, equivalence in double, equivalence in float, bundles, determinism hold in "
      "10 cases");
}
