#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include <rwkv/core/shape.hpp>

namespace rwkv::wkv4 {

/// What wkv4_forward and wkv4_backward take, in plain arrays; no backward without dy.
template <class R>
struct Reference {
  Seq seq;
  dim_t C;
  const R *time_decay, *time_first, *k, *v;
  R *y, *state;
  const R* dy = nullptr;
  R *dk = nullptr, *dv = nullptr, *dtime_decay = nullptr, *dtime_first = nullptr, *dstate = nullptr;

  /// The formulas of the paper, a channel and a token at a time: what everything else is measured by.
  void run() const {
    using std::exp, std::max;
    struct State {
      R aa, bb, pp;
    };
    std::vector<State> before(seq.time + 1);
    for (dim_t b = 0; b < seq.batch; ++b)
      for (dim_t c = 0; c < C; ++c) {
        const auto at = [&](dim_t t) { return (b * seq.time + t) * C + c; };
        R* const s = state + b * 3 * C + c;
        const R w = -exp(time_decay[c]), u = time_first[c];
        before[0] = {s[0], s[C], s[2 * C]};
        for (dim_t t = 0; t < seq.time; ++t) {
          const auto [aa, bb, pp] = before[t];
          const R k_t = k[at(t)], v_t = v[at(t)];
          const R now = max(pp, u + k_t), e1 = exp(pp - now), e2 = exp(u + k_t - now);
          y[at(t)] = (e1 * aa + e2 * v_t) / (e1 * bb + e2);
          const R next = max(pp + w, k_t), f1 = exp(pp - next + w), f2 = exp(k_t - next);
          before[t + 1] = {f1 * aa + f2 * v_t, f1 * bb + f2, next};
        }
        s[0] = before[seq.time].aa, s[C] = before[seq.time].bb, s[2 * C] = before[seq.time].pp;
        if (!dy) continue;
        R* const d = dstate + b * 3 * C + c;
        R daa = d[0], dbb = d[C];
        for (dim_t t = seq.time; t-- > 0;) {
          const auto [aa, bb, pp] = before[t];
          const R k_t = k[at(t)], v_t = v[at(t)], now = max(pp, u + k_t), next = before[t + 1].pp;
          const R e1 = exp(pp - now), e2 = exp(u + k_t - now), f1 = exp(pp - next + w), f2 = exp(k_t - next);
          const R q = dy[at(t)] / (e1 * bb + e2), bonus = e2 * q * (v_t - y[at(t)]);
          dv[at(t)] = e2 * q + f2 * daa;
          dk[at(t)] = bonus + f2 * (v_t * daa + dbb);
          dtime_first[c] = dtime_first[c] + bonus;
          dtime_decay[c] = dtime_decay[c] + w * f1 * (aa * daa + bb * dbb);
          daa = f1 * daa + e1 * q, dbb = f1 * dbb - e1 * q * y[at(t)];
        }
        d[0] = daa, d[C] = dbb, d[2 * C] = before[0].aa * daa + before[0].bb * dbb;
      }
  }
};

}  // namespace rwkv::wkv4
