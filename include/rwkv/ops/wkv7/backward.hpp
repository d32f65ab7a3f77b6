#pragma once
#include <rwkv/backend/thread_buffer.hpp>
#include <rwkv/ops/wkv7/chunk.hpp>

namespace rwkv::wkv7 {

/// The gradients of a chunk, with D = (dy_t; dsa_t) and dZ that of the state after it:
///
///   G = f dZ,   dX = K G + P^T D, whose odd rows are the dsa_t,   dP = past(D X^T)
///   dQ = D Z^T + dP K,   dK = X G^T + dP^T Q,   the dZ before it = G + Q^T D
///
/// What makes f_s greater makes what is written at s or before and read after it greater, and what stays of Z:
///
///   dlog w_t = sum_values G Z + sum_{s < t} K_s X_s G^T + sum_{s >= t} (Q_s dQ_s - K_s dP^T Q), a_t left out
template <class T, dim_t Size>
struct BackwardChunk : Chunk<T, Size> {
  using Base = Chunk<T, Size>;
  using Tile = typename Base::Tile;
  using Base::W, Base::packs, Base::width, Base::rows, Base::tokens, Base::q, Base::k, Base::x, Base::past;
  using typename Base::L;
  static constexpr dim_t operand = rows * width, square = Size * width;
  static constexpr dim_t size = Base::size + 5 * operand + 3 * square + rows * rows;

  T *d, *dx, *dq;              // (rows, width)
  T *outside, *inside;         // (rows, width): X G^T and dP^T Q
  T *z_turned, *g, *g_turned;  // (Size, width): values by keys, keys by values, values by keys
  T* dpast;                    // (rows, rows)

  explicit BackwardChunk(T* p)
      : Base(p),
        d(p + Base::size),
        dx(d + operand),
        dq(dx + operand),
        outside(dq + operand),
        inside(outside + operand),
        z_turned(inside + operand),
        g(z_turned + square),
        g_turned(g + square),
        dpast(g_turned + square) {
    if (width > Size) std::fill_n(d, 5 * operand + 3 * square, T(0));
  }

  /// Z' = f (Z + K^T X), turned.
  [[gnu::noinline]] void advance_turned() const {
    Base::template add_products<rows>(x, k, z_turned, [&](L old, L sum, dim_t, dim_t c) {
      return (old + sum) * load(this->fade, Lanes<W>{tokens * width + c});
    });
  }
  /// G from dZ, in its place.
  void fade_gradient() const {
    for (dim_t i = 0; i < Size; ++i)
      for (dim_t c = 0; c < width; c += W) {
        const Lanes<W> at{i * width + c};
        store(g, at, load(g, at) * this->fade[tokens * width + i]);
      }
    Tile::transpose(Size, Size, g, width, g_turned, width, T(1));
  }
  /// dX, and the odd rows of D.
  [[gnu::noinline]] void respond() const {
    Base::template each_tile<rows, true>(width, [&]<int some>(dim_t m, dim_t c) {
      L total[some][packs];
      Tile::multiply(Size, k + m * width, width, 1, g + c, width, total);
      Tile::add(rows - m - some, past + (m + some) * rows + m, 1, rows, d + (m + some) * width + c, width, total);
      solve_back<some>(total, d + m * width + c, past + m * rows + m);
      Base::put(total, dx + m * width + c);
    });
  }
  [[gnu::noinline]] void differentiate_reads() const {
    Base::template each_tile<rows>(width, [&]<int some>(dim_t m, dim_t c) {
      L total[some][packs];
      Tile::multiply(Size, d + m * width, width, 1, z_turned + c, width, total);
      Tile::add(m + some, dpast + m * rows, rows, 1, k + c, width, total);
      Base::put(total, dq + m * width + c);
    });
  }
  [[gnu::noinline]] void differentiate_writes() const {
    Base::template each_tile<rows>(width, [&]<int some>(dim_t m, dim_t c) {
      L total[some][packs];
      Tile::multiply(Size, x + m * width, width, 1, g_turned + c, width, total);
      Base::put(total, outside + m * width + c);
      Tile::multiply(rows - m, dpast + m * rows + m, 1, rows, q + m * width + c, width, total);
      Base::put(total, inside + m * width + c);
    });
  }
  /// G becomes the dZ before the chunk.
  [[gnu::noinline]] void retreat() const {
    Base::template add_products<rows>(q, d, g, [](L old, L sum, dim_t, dim_t) { return old + sum; });
  }

  /// Of the n tokens from token t of a head on.
  template <class B, dim_t H>
  void write(const Signals<B, H, Size>& to, dim_t head, dim_t t, dim_t n) const {
    Row<T, Size>::each([&](auto c) {
      using Value = At<T, decltype(c)>;
      const auto product = [&](const T* a, const T* b, dim_t row) {
        return load(a, c + row * width) * load(b, c + row * width);
      };
      Value stays{}, later{}, earlier[tokens];
      for (dim_t j = 0; j < Size; ++j) stays = stays + product(g_turned, z_turned, j);
      for (dim_t s = 0; s < n; ++s) {
        earlier[s] = stays;
        stays = stays + (product(k, outside, 2 * s) + product(k, outside, 2 * s + 1));
      }
      for (dim_t s = n; s-- > 0;) {
        const auto at = c + to.at(head, t + s), even = c + 2 * s * width, odd = even + width;
        const Value before = load(this->fade, c + s * width), after = load(this->fade, c + (s + 1) * width);
        const Value up = load(this->lift, c + s * width);
        later = later + (product(q, dq, 2 * s) - product(k, inside, 2 * s) - product(k, inside, 2 * s + 1));
        store(to.w.data, at, earlier[s] + later);
        later = later + product(q, dq, 2 * s + 1);
        store(to.r.data, at, after * load(dq, even)), store(to.a.data, at, before * load(dq, odd));
        store(to.k.data, at, up * (load(outside, even) + load(inside, even)));
        store(to.b.data, at, up * (load(outside, odd) + load(inside, odd)));
        store(to.v.data, at, load(dx, even));
      }
    });
  }

 private:
  /// Adds what the rows of a tile do to each other, from the last token: an odd row of the result is an odd row of D.
  template <int some>
  static void solve_back(L (&total)[some][packs], T* d, const T* seen) {
#pragma GCC unroll 8
    for (int t = some - 2; t >= 0; t -= 2)
#pragma GCC unroll 4
      for (int s = 0; s < packs; ++s) {
        const L dy_t = load(d, Lanes<W>{t * width + s * W});
#pragma GCC unroll 16
        for (int r = 0; r < some; ++r)
          if (r < t + 2) total[r][s] += seen[t * rows + r] * dy_t;
        const L dsa = total[t + 1][s];
        store(d, Lanes<W>{(t + 1) * width + s * W}, dsa);
#pragma GCC unroll 16
        for (int r = 0; r < some; ++r)
          if (r < t) total[r][s] += seen[(t + 1) * rows + r] * dsa;
      }
  }
};

/// Index: a head. From the last token to the first, on lanes.
template <class B, dim_t H, dim_t Size>
struct LanesBackward {
  using T = typename Accum<B>::scalar;
  using Here = BackwardChunk<T, Size>;
  static constexpr dim_t tokens = Here::tokens, width = Here::width;
  Signals<B, H, Size> in, d;
  Kept<B, H, Size> kept;
  Tensor<B, Batch, Time, H * Size> dy;
  State<B, H, Size> dstate;

  void operator()(dim_t head) const {
    static thread_local rwkv::detail::ThreadBuffer<T> memory;
    const Here chunk(memory.at_least(Here::size));
    T* const own = dstate.data + head * Size * Size;
    chunk.copy(own, Size, chunk.g, width);
    for (dim_t t = (in.seq().time - 1) / tokens * tokens; t >= 0; t -= tokens) back(chunk, head, t);
    chunk.copy(chunk.g, width, own, Size);
  }

 private:
  void back(const Here& chunk, dim_t head, dim_t t) const {
    const dim_t n = std::min(tokens, in.seq().time - t), before = t < span ? 0 : tokens;
    const auto want = [&](const auto& x, dim_t from, dim_t count) {
      chunk.ahead.template want<Size>(x.data + in.at(head, from), H * Size, count);
    };
    chunk.ahead.forget();
    want(in.r, t - span, before), want(in.w, t - span, before), want(in.k, t - span, before);
    want(in.v, t - span, before), want(in.a, t - span, before), want(in.b, t - span, before);
    want(dy, t - span, before), want(kept.recalled, t - span, before);
    if (before && t % span == 0)
      chunk.ahead.template want<Size>(kept.starts.data + in.start(head, t / span - 1), Size, Size);
    want(d.r, t, n), want(d.w, t, n), want(d.k, t, n), want(d.v, t, n), want(d.a, t, n), want(d.b, t, n);
    Here::Tile::transpose(Size, Size, kept.starts.data + in.start(head, t / span), Size, chunk.z_turned, width, T(1));
    for (dim_t s = t / span * span; s < t; s += tokens) {
      chunk.read(in, kept.recalled.data, head, s, tokens);
      chunk.advance_turned();
    }
    chunk.read(in, kept.recalled.data, head, t, n);
    for (dim_t s = 0; s < n; ++s)
      Row<T, Size>::each([&](auto c) { store(chunk.d, c + 2 * s * width, load(dy.data, c + in.at(head, t + s))); });
    std::fill_n(chunk.d + 2 * n * width, 2 * (tokens - n) * width, T(0));
    chunk.complete(n);
    chunk.fade_gradient();
    chunk.join(chunk.q, chunk.k, chunk.past);
    chunk.respond();
    chunk.join(chunk.d, chunk.x, chunk.dpast);
    chunk.differentiate_reads();
    chunk.differentiate_writes();
    chunk.retreat();
    chunk.write(d, head, t, n);
  }
};

}  // namespace rwkv::wkv7
