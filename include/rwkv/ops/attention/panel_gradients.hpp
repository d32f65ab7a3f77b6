#pragma once
#include <rwkv/ops/attention/backward_tokens.hpp>

namespace rwkv::detail {

/// A panel of tokens before some keys in the backward pass: P, dS and dQ, a tile of sums at a time.
template <class T, dim_t D, class Drops>
struct PanelGradients {
  using Memory = BackwardTokens<T, D>;
  using Lane = typename Memory::Lane;
  using L = typename Memory::L;
  static constexpr int W = Memory::W, wide = Memory::wide, tall = Memory::tall;
  static constexpr dim_t tokens = Memory::tokens;

  /// Panel number p of a block, whose dropout has these words, before the keys `some` of the block that starts at key
  /// `first`.
  static void add(const Memory& memory, dim_t p, const Panel<T>& panel, const RandomWord<T>* words, dim_t first,
                  const KeyBlock& some) {
    const dim_t lanes = p * D * wide, at = some.first * tokens + p * wide;
    const T *k = memory.k + some.first * D, *v = memory.v + some.first * D;
    T *weights = memory.weights + at, *dscores = memory.dscores + at;
    Lane::template rows<tall>(
        some.count, [&]<int n>(dim_t j) { score<n>(memory.q_lanes + lanes, k + j * D, weights + j * tokens); });
    exponentials(some.count, memory.top + p * wide, weights);
    const KeyBlock keys{first + some.first, some.count};
    if (panel.cuts(keys))
      for (dim_t j = 0; j < some.count; ++j)
        panel.each_pack(keys.first + j, [&](int s, const auto& choose) {
          T* const w = weights + j * tokens;
          store(w, Lanes<W>{s}, choose(load(w, Lanes<W>{s}), L{}));
        });
    Lane::template rows<tall>(some.count, [&]<int n>(dim_t j) {
      dscore<n>(memory.dy_lanes + lanes, v + j * D, memory.along + p * wide, words, keys.first + j,
                weights + j * tokens, dscores + j * tokens);
    });
    Lane::template rows<tall>(
        D, [&]<int n>(dim_t c) { dquery<n>(some.count, k + c, dscores, memory.dq_lanes + lanes + c * wide); });
  }

 private:
  template <int some>
  [[gnu::noinline]] static void score(const T* q, const T* k, T* to) {
    L total[some][Lane::packs];
    Lane::multiply(D, k, D, 1, q, wide, total);
#pragma GCC unroll 16
    for (int r = 0; r < some; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < Lane::packs; ++s) store(to + r * tokens, Lanes<W>{s * W}, total[r][s]);
  }
  [[gnu::noinline]] static void exponentials(dim_t count, const T* top, T* weights) {
    L most[Lane::packs];
#pragma GCC unroll 4
    for (int s = 0; s < Lane::packs; ++s) most[s] = load(top, Lanes<W>{s * W});
    for (dim_t j = 0; j < count; ++j, weights += tokens)
#pragma GCC unroll 4
      for (int s = 0; s < Lane::packs; ++s) {
        const Lanes<W> at{s * W};
        store(weights, at, exp2_nonpositive(load(weights, at) - most[s]));
      }
  }
  /// dS = P (M dP - dy . y); P becomes M P.
  template <int some>
  [[gnu::noinline]] static void dscore(const T* dy, const T* v, const T* along,
                                       [[maybe_unused]] const RandomWord<T>* words, [[maybe_unused]] dim_t key,
                                       T* weights, T* to) {
    L total[some][Lane::packs];
    Lane::multiply(D, v, D, 1, dy, wide, total);
#pragma GCC unroll 4
    for (int s = 0; s < Lane::packs; ++s) {
      const Lanes<W> at{s * W};
      const L of_y = load(along, at);
#pragma GCC unroll 16
      for (int r = 0; r < some; ++r) {
        const L p = load(weights + r * tokens, at);
        if constexpr (Drops::any) {
          const L m = kept<L, Drops>(words + s * W, key + r);
          total[r][s] = total[r][s] * m;
          store(weights + r * tokens, at, p * m);
        }
        store(to + r * tokens, at, p * (total[r][s] - of_y));
      }
    }
  }
  template <int some>
  [[gnu::noinline]] static void dquery(dim_t count, const T* k, const T* dscores, T* dq) {
    L total[some][Lane::packs];
    Lane::multiply(count, k, 1, D, dscores, tokens, total);
#pragma GCC unroll 16
    for (int r = 0; r < some; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < Lane::packs; ++s) {
        const Lanes<W> at{s * W};
        store(dq + r * wide, at, load(dq + r * wide, at) + total[r][s]);
      }
  }
};

}  // namespace rwkv::detail
