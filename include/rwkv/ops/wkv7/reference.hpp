#pragma once
#include <cmath>
#include <vector>

#include <rwkv/core/shape.hpp>

namespace rwkv::wkv7 {

/// What wkv7_forward and wkv7_backward take, in plain arrays: signals (batch, time, heads, N), states (batch, heads, N,
/// N), key by value. w is the logarithm of the decay. No backward without dy.
template <class R>
struct Reference {
  Seq seq;
  dim_t heads, N;
  const R *r, *w, *k, *v, *a, *b;
  R *y, *state;
  const R* dy = nullptr;
  R *dr = nullptr, *dw = nullptr, *dk = nullptr, *dv = nullptr, *da = nullptr, *db = nullptr, *dstate = nullptr;

  /// The formulas of the paper, a head and a token at a time: what everything else is measured by.
  void run() const {
    const dim_t T = seq.time;
    std::vector<R> before(dy ? (T + 1) * N * N : 0), recalled(T * N), drecalled(N);
    for (dim_t head = 0; head < seq.batch * heads; ++head) {
      const auto at = [&](dim_t t) { return ((head / heads * T + t) * heads + head % heads) * N; };
      R* const Z = state + head * N * N;
      for (dim_t t = 0; t < T; ++t) {
        if (dy) std::copy(Z, Z + N * N, &before[t * N * N]);
        forward(at(t), Z, &recalled[t * N]);
      }
      if (!dy) continue;
      std::copy(Z, Z + N * N, &before[T * N * N]);
      for (dim_t t = T; t-- > 0;)
        backward(at(t), &before[t * N * N], &before[(t + 1) * N * N], &recalled[t * N], dstate + head * N * N,
                 drecalled);
    }
  }

 private:
  void forward(dim_t x, R* Z, R* sa) const {
    using std::exp;
    for (dim_t j = 0; j < N; ++j) {
      sa[j] = R(0), y[x + j] = R(0);
      for (dim_t i = 0; i < N; ++i) sa[j] = sa[j] + a[x + i] * Z[i * N + j];
      for (dim_t i = 0; i < N; ++i) {
        R& z = Z[i * N + j];
        z = exp(w[x + i]) * z + b[x + i] * sa[j] + k[x + i] * v[x + j];
        y[x + j] = y[x + j] + r[x + i] * z;
      }
    }
  }
  /// From the state before a token, the one after it, and the gradient of the latter, which becomes that of the former.
  void backward(dim_t x, const R* Z, const R* next, const R* sa, R* D, std::vector<R>& dsa) const {
    using std::exp;
    for (dim_t j = 0; j < N; ++j) dsa[j] = R(0), dv[x + j] = R(0);
    for (dim_t i = 0; i < N; ++i) {
      R dr_i(0), dk_i(0), db_i(0);
      for (dim_t j = 0; j < N; ++j) {
        R& d = D[i * N + j];
        d = d + r[x + i] * dy[x + j];
        dr_i = dr_i + next[i * N + j] * dy[x + j], dk_i = dk_i + d * v[x + j], db_i = db_i + d * sa[j];
        dv[x + j] = dv[x + j] + d * k[x + i], dsa[j] = dsa[j] + d * b[x + i];
      }
      dr[x + i] = dr_i, dk[x + i] = dk_i, db[x + i] = db_i;
    }
    for (dim_t i = 0; i < N; ++i) {
      R dw_i(0), da_i(0);
      for (dim_t j = 0; j < N; ++j) {
        R& d = D[i * N + j];
        dw_i = dw_i + exp(w[x + i]) * d * Z[i * N + j], da_i = da_i + Z[i * N + j] * dsa[j];
        d = exp(w[x + i]) * d + a[x + i] * dsa[j];
      }
      dw[x + i] = dw_i, da[x + i] = da_i;
    }
  }
};

}  // namespace rwkv::wkv7
