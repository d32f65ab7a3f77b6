#pragma once
#include <algorithm>

#include <rwkv/ops/head_products.hpp>
#include <rwkv/ops/rows.hpp>
#include <rwkv/ops/wkv6/signals.hpp>

// A chunk of tokens as products of matrices. f_t = w_1 ... w_{t-1} is how much what came before the chunk has faded
// when token t reads it, g_t = w_{t+1} ... w_n how much what token t writes has faded at the chunk's end, f all w
// together:
//
//   y_t = (f_t r_t)^T Z + sum_{s <= t} P_ts v_s,   Z' = f Z + sum_t (g_t k_t) v_t^T
//   P_ts = sum_keys r_t k_s w_{s+1} ... w_{t-1} for s < t,   P_tt = sum_keys r_t u k_t
//
// Decays may be as small as e^-60, so nothing is divided by them: every pair of tokens has its product of decays, which
// grows by a factor from pair to pair. That is Size for every pair, where the state takes Size^2 for every token.
namespace rwkv::wkv6 {

/// How many times as large as the state the numbers are that it is held in, before a chunk and after it.
template <class T>
struct Units {
  T before = 1, after = 1;
};

template <class T, dim_t Size>
struct Chunk : rwkv::detail::HeadProducts<T, Size> {
  using Base = rwkv::detail::HeadProducts<T, Size>;
  using Base::W, Base::packs, Base::width;
  using typename Base::L, typename Base::Tile;
  static constexpr dim_t tokens = 16, operand = tokens * width, square = tokens * tokens;
  static constexpr dim_t size = 7 * operand + 2 * width + square;
  static_assert(span % tokens == 0);

  T *r, *k, *v, *w;          // (tokens, width): w are the decays themselves
  T *reads, *writes, *left;  // (tokens, width): f_t r_t, g_t k_t, g_t
  T *fade, *u;               // (width): f; the bonus
  T* pairs;                  // (tokens, tokens): P

  explicit Chunk(T* p)
      : r(p),
        k(r + operand),
        v(k + operand),
        w(v + operand),
        reads(w + operand),
        writes(reads + operand),
        left(writes + operand),
        fade(left + operand),
        u(fade + width),
        pairs(u + width) {
    if (width > Size) std::fill_n(p, size, T(0));
  }

  /// n tokens from token t of a head on: what reads the state, what writes to it; with both, the bonus as well.
  template <bool reading = true, bool writing = true, class In>
  void read(const In& in, dim_t head, dim_t t, dim_t n, Units<T> units = {}) const {
    Row<T, Size>::each([&](auto c) {
      using Value = At<T, decltype(c)>;
      Value before = broadcast<Value>(1 / units.before), after = broadcast<Value>(units.after), all{};
      for (dim_t s = 0; s < n; ++s) {
        const auto from = c + in.at(head, t + s), to = c + s * width;
        const Value w_s = load(in.w.data, c + in.decay(head, t + s)), fades = math::exp_nonpositive(w_s);
        if constexpr (writing) store(k, to, load(in.k.data, from)), store(v, to, load(in.v.data, from));
        if constexpr (reading) {
          const Value r_s = load(in.r.data, from);
          store(r, to, r_s), store(reads, to, r_s * before);
        }
        store(w, to, fades);
        before = before * fades, all = all + w_s;
      }
      const T grows = units.after / units.before;
      store(fade, c, math::exp_nonpositive(all) * grows);  // rounded once a chunk: the state carries it on
      if constexpr (reading && writing) store(u, c, load(in.u.data, c + in.parameter(head)));
      for (dim_t s = n; writing && s-- > 0;) {
        const auto at = c + s * width;
        store(left, at, after), store(writes, at, load(k, at) * after);
        after = after * load(w, at);
      }
    });
    for (dim_t s = 0; reading && writing && s < n; ++s)
      pairs[s * tokens + s] =
          Row<T, width>::sum([&](auto c) { return load(r, c + s * width) * load(u, c) * load(k, c + s * width); });
  }
  /// Where there are but n tokens, the others are zeros.
  void complete(dim_t n) const {
    for (T* rows : {r, k, v, reads, writes}) std::fill_n(rows + n * width, (tokens - n) * width, T(0));
    std::fill_n(pairs + n * tokens, (tokens - n) * tokens, T(0));
  }
  /// to_ts = sum_c left_t right_s, in P faded by the decays between, for s < t; 0 for s > t. Keeps the diagonal.
  template <bool fades>
  [[gnu::noinline]] void pair_up(const T* with, const T* of, T* to, dim_t n) const {
    for (dim_t s = 0; s < n; ++s) {
      Base::ahead.ask();
      L x[in_row];
      each_pack([&](int i) { x[i] = load(of, Lanes<W>{s * width + i * W}); });
      for (dim_t t = 0; t < s; ++t) to[t * tokens + s] = T(0);
      for (dim_t t = s + 1; t < n; ++t) {
        L sum{};
        each_pack([&](int i) { sum += x[i] * load(with, Lanes<W>{t * width + i * W}); });
        to[t * tokens + s] = reduce_lanes(sum, [](auto a, auto b) { return a + b; });
        if constexpr (fades) each_pack([&](int i) { x[i] *= load(w, Lanes<W>{t * width + i * W}); });
      }
    }
    for (dim_t t = 0; t < n; ++t) std::fill_n(to + t * tokens + n, tokens - n, T(0));
  }
  /// y_t, from what comes before the chunk and from the chunk.
  [[gnu::noinline]] void recall(const T* z, T* y) const {
    Base::template each_tile<tokens>(width, [&]<int some>(dim_t m, dim_t c) {
      L total[some][packs];
      Tile::multiply(Size, reads + m * width, width, 1, z + c, width, total);
      Tile::add(m + some, pairs + m * tokens, tokens, 1, v + c, width, total);
      Base::put(total, y + m * width + c);
    });
  }
  /// Z' = f Z + keys^T values: of writes and v forward; of reads and dy, for the gradient of the state, on the way
  /// back.
  [[gnu::noinline]] void advance(const T* keys, const T* values, T* z) const {
    Base::template add_products<tokens>(keys, values, z,
                                        [&](L old, L sum, dim_t i, dim_t) { return old * fade[i] + sum; });
  }

 protected:
  static constexpr int in_row = width / W;
  /// f(i) for every pack of a row.
  template <class F>
  [[gnu::always_inline]] static void each_pack(const F& f) {
#pragma GCC unroll 16
    for (int i = 0; i < in_row; ++i) f(i);
  }
};

}  // namespace rwkv::wkv6
