#include <Eigen/Core>

#include <cmath>
#include <random>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/wkv6.hpp>
#include <rwkv/ops/wkv6/reference.hpp>

#include "heads_bench.hpp"

// WKV-6 forward, and forward with backward: token after token and in chunks, on one thread and on all, and beside the
// reference, which does the same one token after the other in plain loops; of one head, blocks of time side by side.
// WKV-5 reads a decay for a channel where this reads one for every token.
namespace {

using namespace rwkv;
using wkv6::OverTime;
using B = Cpu<float>;

template <dim_t H, dim_t N>
struct Problem {
  using Numbers = std::vector<float, Eigen::aligned_allocator<float>>;  // as the library's memory is
  using Signal = Tensor<B, Batch, Time, H * N>;
  using Signals = wkv6::Signals<B, H, N, Signal, Tensor<B, H * N>>;
  Seq seq;
  Numbers in[4], d[4], u, du, y, dy, state, dstate, starts;  // r, k, v, w
  Scratch<B> scratch;

  explicit Problem(Seq s) : seq(s), u(H * N, 0.5f), du(H * N) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    const auto n = std::size_t(s.tokens() * H * N);
    for (auto* x : {&y, &dy, &d[0], &d[1], &d[2], &d[3]}) x->resize(n);
    for (auto& x : in) {
      x.resize(n);
      for (float& value : x) value = normal(random);
    }
    for (float& value : dy) value = normal(random);
    for (float& value : in[3]) value = -std::exp(2 * value - 2);
    state.resize(std::size_t(s.batch * H * N * N)), dstate.resize(state.size());
    starts.resize(state.size() * std::size_t(s.spans()));
  }

  Signals signals(Numbers (&x)[4], Numbers& bonus) {
    return {{x[0].data(), seq}, {x[1].data(), seq}, {x[2].data(), seq}, {x[3].data(), seq}, {bonus.data(), seq}};
  }
  void forward(bool keep, OverTime how = OverTime::automatic) {
    wkv6_forward(scratch, signals(in, u), {y.data(), seq}, {state.data(), seq}, {keep ? starts.data() : nullptr, seq},
                 how);
  }
  void backward(OverTime how = OverTime::automatic) {
    wkv6_backward(scratch, signals(in, u), {starts.data(), seq}, {dy.data(), seq}, signals(d, du), {dstate.data(), seq},
                  how);
  }
  /// The formulas of the paper, a head and a token at a time.
  void naive(bool back) {
    auto& [r, k, v, w] = in;
    auto& [dr, dk, dv, dw] = d;
    wkv6::Reference<float> reference{seq,      H,        N,        r.data(), w.data(),
                                     k.data(), v.data(), u.data(), y.data(), state.data()};
    reference.dr = dr.data(), reference.dw = dw.data(), reference.dk = dk.data(), reference.dv = dv.data();
    reference.du = du.data(), reference.dstate = dstate.data();
    if (back) reference.dy = dy.data();
    reference.run();
  }
};

const bool compared = bench::compare<Problem, 12, 64>({{8, 256}, {1, 1}, {1, 4}, {1, 16}, {1, 64}, {1, 1024}}) &&
                      bench::compare<Problem, 6, 64>({{8, 256}}) && bench::compare<Problem, 2, 64>({{8, 128}}) &&
                      bench::compare_ways<Problem, 1, 64>({{1, 512}, {1, 1024}, {1, 8192}, {1, 65536}},
                                                          {{"chunked/threads:1", OverTime::chunked, 1},
                                                           {"chunked/threads:all", OverTime::chunked, 0},
                                                           {"scan/threads:1", OverTime::scan, 1},
                                                           {"scan/threads:all", OverTime::scan, 0}});

}  // namespace

BENCHMARK_MAIN();
