#include <Eigen/Core>

#include <cmath>
#include <random>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/wkv7.hpp>
#include <rwkv/ops/wkv7/reference.hpp>

#include "heads_bench.hpp"

// WKV-7 forward, and forward with backward: token after token and in chunks, on one thread and on all, and beside the
// reference, which does the same one token after the other in plain loops.
namespace {

using namespace rwkv;
using wkv7::OverTime;
using B = Cpu<float>;

template <dim_t H, dim_t N>
struct Problem {
  using Numbers = std::vector<float, Eigen::aligned_allocator<float>>;  // as the library's memory is
  Seq seq;
  Numbers in[6], d[6], y, dy, recalled, state, dstate, starts;  // r, w, k, v, a, b
  Scratch<B> scratch;

  explicit Problem(Seq s) : seq(s) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    const auto n = std::size_t(s.tokens() * H * N);
    for (auto* x : {&y, &dy, &recalled}) x->resize(n);
    for (auto& x : d) x.resize(n);
    for (auto& x : in) {
      x.resize(n);
      for (float& value : x) value = normal(random);
    }
    for (float& value : dy) value = normal(random);
    for (float& value : in[1]) value = -0.60653066f / (1 + std::exp(-value));
    for (std::size_t i = 0; i < n; i += N) {  // a: minus a normalised key; b: a share of it
      float norm = 0;
      for (std::size_t c = i; c < i + N; ++c) norm += in[4][c] * in[4][c];
      for (std::size_t c = i; c < i + N; ++c)
        in[4][c] /= -std::sqrt(norm), in[5][c] = -in[4][c] / (1 + std::exp(-in[5][c]));
    }
    state.resize(std::size_t(s.batch * H * N * N)), dstate.resize(state.size());
    starts.resize(state.size() * std::size_t(s.spans()));
  }

  wkv7::Signals<B, H, N> signals(Numbers (&x)[6]) {
    return {{x[0].data(), seq}, {x[1].data(), seq}, {x[2].data(), seq},
            {x[3].data(), seq}, {x[4].data(), seq}, {x[5].data(), seq}};
  }
  void forward(bool keep, OverTime how = OverTime::automatic) {
    wkv7::Kept<B, H, N> kept;
    if (keep) kept = {{starts.data(), seq}, {recalled.data(), seq}};
    wkv7_forward(scratch, signals(in), {y.data(), seq}, {state.data(), seq}, kept, how);
  }
  void backward(OverTime how = OverTime::automatic) {
    wkv7_backward(scratch, signals(in), {{starts.data(), seq}, {recalled.data(), seq}}, {dy.data(), seq}, signals(d),
                  {dstate.data(), seq}, how);
  }
  /// The formulas of the paper, a head and a token at a time.
  void naive(bool back) {
    auto& [r, w, k, v, a, b] = in;
    auto& [dr, dw, dk, dv, da, db] = d;
    wkv7::Reference<float> reference{seq,      H,        N,        r.data(), w.data(),    k.data(),
                                     v.data(), a.data(), b.data(), y.data(), state.data()};
    reference.dr = dr.data(), reference.dw = dw.data(), reference.dk = dk.data(), reference.dv = dv.data();
    reference.da = da.data(), reference.db = db.data(), reference.dstate = dstate.data();
    if (back) reference.dy = dy.data();
    reference.run();
  }
};

const bool compared = bench::compare<Problem, 12, 64>({{8, 256}, {1, 1}, {1, 4}, {1, 16}, {1, 64}, {1, 1024}}) &&
                      bench::compare<Problem, 6, 64>({{8, 256}}) && bench::compare<Problem, 2, 64>({{8, 128}});

}  // namespace

BENCHMARK_MAIN();
