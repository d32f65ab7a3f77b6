#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include <rwkv/core/shape.hpp>

namespace rwkv::wkv7 {

/// What wkv7_forward and wkv7_backward take, in plain arrays: signals (batch, time, heads, n), states (batch, heads, n,
/// n), key by value. w is the logarithm of the decay. No backward without dy.
template <class R>
struct Reference {
  Seq seq;
  dim_t heads, n;
  const R *r, *w, *k, *v, *a, *b;
  R *y, *state;
  const R* dy = nullptr;
  R *dr = nullptr, *dw = nullptr, *dk = nullptr, *dv = nullptr, *da = nullptr, *db = nullptr, *dstate = nullptr;

  /// The formulas of the paper, a head and a token at a time: what everything else is measured by.
  void run() const {
    const dim_t T = seq.time;
    std::vector<R> before(dy ? (T + 1) * n * n : 0), recalled(T * n), drecalled(n);
    for (dim_t head = 0; head < seq.batch * heads; ++head) {
      const auto at = [&](dim_t t) { return ((head / heads * T + t) * heads + head % heads) * n; };
      R* const Z = state + head * n * n;
      for (dim_t t = 0; t < T; ++t) {
        if (dy) std::copy(Z, Z + n * n, &before[t * n * n]);
        forward(at(t), Z, &recalled[t * n]);
      }
      if (!dy) continue;
      std::copy(Z, Z + n * n, &before[T * n * n]);
      for (dim_t t = T; t-- > 0;)
        backward(at(t), &before[t * n * n], &before[(t + 1) * n * n], &recalled[t * n], dstate + head * n * n,
                 drecalled);
    }
  }

 private:
  void forward(dim_t x, R* Z, R* sa) const {
    using std::exp;
    for (dim_t j = 0; j < n; ++j) {
      sa[j] = R(0), y[x + j] = R(0);
      for (dim_t i = 0; i < n; ++i) sa[j] = sa[j] + a[x + i] * Z[i * n + j];
    }
    for (dim_t i = 0; i < n; ++i) {
      const R fade = exp(w[x + i]);
      for (dim_t j = 0; j < n; ++j) {
        R& z = Z[i * n + j];
        z = fade * z + b[x + i] * sa[j] + k[x + i] * v[x + j];
        y[x + j] = y[x + j] + r[x + i] * z;
      }
    }
  }
  /// From the state before a token, the one after it, and the gradient of the latter, which becomes that of the former.
  void backward(dim_t x, const R* Z, const R* next, const R* sa, R* D, std::vector<R>& dsa) const {
    using std::exp;
    for (dim_t j = 0; j < n; ++j) dsa[j] = R(0), dv[x + j] = R(0);
    for (dim_t i = 0; i < n; ++i) {
      R dr_i(0), dk_i(0), db_i(0);
      for (dim_t j = 0; j < n; ++j) {
        R& d = D[i * n + j];
        d = d + r[x + i] * dy[x + j];
        dr_i = dr_i + next[i * n + j] * dy[x + j], dk_i = dk_i + d * v[x + j], db_i = db_i + d * sa[j];
        dv[x + j] = dv[x + j] + d * k[x + i], dsa[j] = dsa[j] + d * b[x + i];
      }
      dr[x + i] = dr_i, dk[x + i] = dk_i, db[x + i] = db_i;
    }
    for (dim_t i = 0; i < n; ++i) {
      const R fade = exp(w[x + i]);
      R dw_i(0), da_i(0);
      for (dim_t j = 0; j < n; ++j) {
        R& d = D[i * n + j];
        dw_i = dw_i + fade * d * Z[i * n + j], da_i = da_i + Z[i * n + j] * dsa[j];
        d = fade * d + a[x + i] * dsa[j];
      }
      dw[x + i] = dw_i, da[x + i] = da_i;
    }
  }
};

}  // namespace rwkv::wkv7
