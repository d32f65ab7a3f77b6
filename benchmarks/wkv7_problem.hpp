#pragma once
#include <Eigen/Core>

#include <cmath>
#include <random>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/wkv7.hpp>
#include <rwkv/ops/wkv7/reference.hpp>

namespace bench {

using namespace rwkv;

/// WKV-7 of H heads of N, with random signals as a model's are: decays from its range, a and b of a normalised key.
template <dim_t H, dim_t N>
struct Wkv7Problem {
  using B = Cpu<float>;
  using Numbers = std::vector<float, Eigen::aligned_allocator<float>>;  // as the library's memory is
  Seq seq;
  Numbers in[6], d[6], y, dy, recalled, state, dstate, starts;  // r, w, k, v, a, b
  Scratch<B> scratch;

  explicit Wkv7Problem(Seq s) : seq(s) {
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
  void forward(bool keep, wkv7::OverTime how = wkv7::OverTime::automatic) {
    wkv7::Kept<B, H, N> kept;
    if (keep) kept = {{starts.data(), seq}, {recalled.data(), seq}};
    wkv7_forward(scratch, signals(in), {y.data(), seq}, {state.data(), seq}, kept, how);
  }
  void backward(wkv7::OverTime how = wkv7::OverTime::automatic) {
    wkv7_backward(scratch, signals(in), {{starts.data(), seq}, {recalled.data(), seq}}, {dy.data(), seq}, signals(d),
                  {dstate.data(), seq}, how);
  }
  /// What it holds, without scratch.
  double bytes() const {
    std::size_t n = y.size() + dy.size() + recalled.size() + state.size() + dstate.size() + starts.size();
    for (int i = 0; i < 6; ++i) n += in[i].size() + d[i].size();
    return 4.0 * double(n);
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

}  // namespace bench
