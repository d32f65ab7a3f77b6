#pragma once
#include <algorithm>

#include <rwkv/ops/head_products.hpp>
#include <rwkv/ops/rows.hpp>
#include <rwkv/ops/wkv7/signals.hpp>

// A chunk of tokens as products of matrices (the UT transform; Yang et al., arXiv 2406.06484). What belongs to a token
// is divided by how much the chunk has faded up to it, f_t = w_1 ... w_t, so that nothing fades within the chunk. Every
// token has two rows: in Q what reads the state, in K what is written to it, and in X what is written there.
//
//   Q = (f_t r_t; f_{t-1} a_t),   K = (k_t / f_t; b_t / f_t),   X = (v_t; sa_t),   P = past(Q K^T)
//   (y_t; sa_t) = Q Z + P X,   Z' = f (Z + K^T X)
//
// past() keeps what a row may see: a_t the tokens before t, r_t itself as well. So sa_t follows from rows before its
// own, and the system is solved on the way. Decays of e^-0.61 and above make 1 / f_t at most e^10.
namespace rwkv::wkv7 {

template <class T, dim_t Size>
struct Chunk : rwkv::detail::HeadProducts<T, Size> {
  using Base = rwkv::detail::HeadProducts<T, Size>;
  using Base::W, Base::packs, Base::wide, Base::tall, Base::width, Base::each, Base::put;
  using typename Base::L, typename Base::Tile;
  static constexpr dim_t tokens = 16, rows = 2 * tokens;
  static constexpr dim_t size = (4 * rows + 2 * tokens + 1) * width + rows * rows;
  static_assert(span % tokens == 0 && rows % wide == 0 && tall % 2 == 0);

  T *q, *k, *x;    // (rows, width)
  T* turned;       // (width, rows)
  T* past;         // (rows, rows): P, of which nothing right of the diagonal's tiles is ever read
  T *fade, *lift;  // (tokens + 1, width): f_t; (tokens, width): 1 / f_t

  explicit Chunk(T* p)
      : q(p),
        k(q + rows * width),
        x(k + rows * width),
        turned(x + rows * width),
        past(turned + rows * width),
        fade(past + rows * rows),
        lift(fade + (tokens + 1) * width) {
    if (width > Size) std::fill_n(p, size, T(0));
    std::fill_n(fade, width, T(1));
  }

  /// n tokens from token t of a head on; recalled may be null.
  template <class B, dim_t H>
  void read(const Signals<B, H, Size>& signals, const T* recalled, dim_t head, dim_t t, dim_t n) const {
    const auto in = signals;  // no store can change a local copy
    T *const to_q = q, *const to_k = k, *const to_x = x, *const fades = fade, *const lifts = lift;
    for (dim_t s = 0; s < n; ++s) {
      const dim_t from = in.at(head, t + s), row = 2 * s * width;
      Row<T, Size>::each([&](auto c) {
        const auto before = load(fades, c + s * width);
        const auto after = before * math::exp_nonpositive(load(in.w.data, from + c)), up = T(1) / after;
        store(fades, c + (s + 1) * width, after), store(lifts, c + s * width, up);
        store(to_q, c + row, load(in.r.data, from + c) * after);
        store(to_q, c + row + width, load(in.a.data, from + c) * before);
        store(to_k, c + row, load(in.k.data, from + c) * up);
        store(to_k, c + row + width, load(in.b.data, from + c) * up);
        store(to_x, c + row, load(in.v.data, from + c));
        if (recalled) store(to_x, c + row + width, load(recalled, from + c));
      });
    }
  }
  /// Where there are but n tokens, the others are zeros that leave the state alone.
  void complete(dim_t n) const {
    for (T* rows_of : {q, k, x}) std::fill_n(rows_of + 2 * n * width, 2 * (tokens - n) * width, T(0));
    for (; n < tokens; ++n) std::copy_n(fade + n * width, width, fade + (n + 1) * width);
  }

  /// (y_t; sa_t), the latter in X, from what Q finds in the state and in the chunk.
  [[gnu::noinline]] void recall(const T* z, T* y) const {
    Base::template each_tile<rows>(width, [&]<int some>(dim_t m, dim_t c) {
      L total[some][packs];
      Tile::multiply(Size, q + m * width, width, 1, z + c, width, total);
      Tile::add(m, past + m * rows, rows, 1, x + c, width, total);
      solve<some>(total, x + m * width + c, past + m * rows + m);
      put(total, y + m * width + c);
    });
  }
  /// Z' = f (Z + K^T X)
  [[gnu::noinline]] void advance(T* z) const {
    Base::template add_products<rows>(
        k, x, z, [&](L old, L sum, dim_t i, dim_t) { return (old + sum) * fade[tokens * width + i]; });
  }
  /// The past of left right^T.
  [[gnu::noinline]] void join(const T* left, const T* right, T* to) const {
    Tile::transpose(rows, Size, right, width, turned, rows, T(1));
    Base::template each_tile<rows>(rows, [&]<int some>(dim_t m, dim_t c) {
      if (c >= m + some) return;
      L total[some][packs];
      Tile::multiply(Size, left + m * width, width, 1, turned + c, rows, total);
      each(total, [&](int r, int s, L sum) {
        const L seen = broadcast<L>(T(m + r + (r % 2 ? -1 : 2) - c - s));  // even rows: their own token's, too
        store(to, Lanes<W>{(m + r) * rows + c + s}, count() < seen ? sum : L{});
      });
    });
  }

 private:
  /// Adds what the rows of a tile see of each other, token after token: an odd row of X is an odd row of the result.
  template <int some>
  static void solve(L (&total)[some][packs], T* x, const T* seen) {
#pragma GCC unroll 8
    for (int t = 0; t < some; t += 2)
#pragma GCC unroll 4
      for (int s = 0; s < packs; ++s) {
        const L value = load(x, Lanes<W>{t * width + s * W}), recalled = total[t + 1][s];
        store(x, Lanes<W>{(t + 1) * width + s * W}, recalled);
#pragma GCC unroll 16
        for (int r = 0; r < some; ++r)
          if (r >= t && r != t + 1) total[r][s] += seen[r * rows + t] * value + seen[r * rows + t + 1] * recalled;
      }
  }
  /// 0, 1, 2, ...
  static L count() {
    alignas(64) T numbers[W];
    for (int j = 0; j < W; ++j) numbers[j] = T(j);
    return load(numbers, Lanes<W>{0});
  }
};

}  // namespace rwkv::wkv7
