#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include <rwkv/core/shape.hpp>

namespace rwkv::wkv6 {

/// What wkv6_forward and wkv6_backward take, in plain arrays: signals (batch, time, heads, n), the bonus u (heads, n),
/// states (batch, heads, n, n), key by value. w is the logarithm of the decay. No backward without dy.
template <class R>
struct Reference {
  Seq seq;
  dim_t heads, n;
  const R *r, *w, *k, *v, *u;
  R *y, *state;
  const R* dy = nullptr;
  R *dr = nullptr, *dw = nullptr, *dk = nullptr, *dv = nullptr, *du = nullptr, *dstate = nullptr;

  /// The formulas of the paper, a head and a token at a time: what everything else is measured by.
  void run() const {
    const dim_t T = seq.time;
    std::vector<R> before(dy ? T * n * n : 0);
    for (dim_t head = 0; head < seq.batch * heads; ++head) {
      const auto at = [&](dim_t t) { return ((head / heads * T + t) * heads + head % heads) * n; };
      R *const Z = state + head * n * n, *const G = dstate + head * n * n;
      for (dim_t t = 0; t < T; ++t) {
        if (dy) std::copy(Z, Z + n * n, &before[t * n * n]);
        forward(at(t), head % heads * n, Z);
      }
      for (dim_t t = T; dy && t-- > 0;) backward(at(t), head % heads * n, &before[t * n * n], G);
    }
  }

 private:
  void forward(dim_t x, dim_t c, R* Z) const {
    using std::exp;
    for (dim_t j = 0; j < n; ++j) y[x + j] = R(0);
    for (dim_t i = 0; i < n; ++i) {
      const R fade = exp(w[x + i]);
      for (dim_t j = 0; j < n; ++j) {
        R &z = Z[i * n + j], kv = k[x + i] * v[x + j];
        y[x + j] = y[x + j] + r[x + i] * (z + u[c + i] * kv);
        z = fade * z + kv;
      }
    }
  }
  /// From the state before a token and the gradient of the one after it, which becomes that of the former.
  void backward(dim_t x, dim_t c, const R* Z, R* G) const {
    using std::exp;
    for (dim_t j = 0; j < n; ++j) dv[x + j] = R(0);
    for (dim_t i = 0; i < n; ++i) {
      const R fade = exp(w[x + i]);
      R dr_i(0), dw_i(0), dk_i(0);
      for (dim_t j = 0; j < n; ++j) {
        const R z = Z[i * n + j], dkv = G[i * n + j] + r[x + i] * u[c + i] * dy[x + j];
        dr_i = dr_i + (z + u[c + i] * k[x + i] * v[x + j]) * dy[x + j];
        du[c + i] = du[c + i] + r[x + i] * k[x + i] * v[x + j] * dy[x + j];
        dk_i = dk_i + dkv * v[x + j], dv[x + j] = dv[x + j] + dkv * k[x + i];
        dw_i = dw_i + fade * G[i * n + j] * z;
        G[i * n + j] = fade * G[i * n + j] + r[x + i] * dy[x + j];
      }
      dr[x + i] = dr_i, dw[x + i] = dw_i, dk[x + i] = dk_i;
    }
  }
};

}  // namespace rwkv::wkv6
