#pragma once
#include <rwkv/ops/wkv6/blocks.hpp>

namespace rwkv::wkv6 {

/// The gradients of a chunk, with G that of the state after it and dP_ts = dy_t v_s for s <= t:
///
///   dR = dY Z^T,   dK = V G^T   (what the state has to do with r and k, before they fade),
///   dV = (g K) G + P^T dY,   the G before it = f G + (f R)^T dY
///
/// What a decay fades: the state, what the chunk reads of it later, what the chunk has written to it before, and every
/// pair of tokens around it. Each is a sum of its own; none is the difference of others.
template <class T, dim_t Size>
struct BackwardChunk : Chunk<T, Size> {
  using Base = Chunk<T, Size>;
  using Base::r, Base::k, Base::v, Base::w, Base::u, Base::reads, Base::writes, Base::left, Base::fade, Base::pairs;
  using Base::W, Base::packs, Base::width, Base::tokens, Base::operand, Base::square;
  using typename Base::L, typename Base::Tile;
  static constexpr dim_t size = Base::size + 6 * operand + 3 * Size * width + square + 2 * width;

  T *dy, *dr, *dk, *dv, *dw, *dwrites;  // (tokens, width)
  T *z_turned, *g, *g_turned;           // (Size, width): values by keys, keys by values, values by keys
  T* dpairs;                            // (tokens, tokens)
  T *du, *dw_all;                       // (width): sums over all chunks

  explicit BackwardChunk(T* p)
      : Base(p),
        dy(p + Base::size),
        dr(dy + operand),
        dk(dr + operand),
        dv(dk + operand),
        dw(dv + operand),
        dwrites(dw + operand),
        z_turned(dwrites + operand),
        g(z_turned + Size * width),
        g_turned(g + Size * width),
        dpairs(g_turned + Size * width),
        du(dpairs + square),
        dw_all(du + width) {
    if (width > Size) std::fill_n(dy, 6 * operand + 3 * Size * width, T(0));
    std::fill_n(du, 2 * width, T(0));
  }

  /// Z' = f Z + (g K)^T V, turned.
  [[gnu::noinline]] void advance_turned() const {
    Base::template add_products<tokens>(
        v, writes, z_turned, [&](L old, L sum, dim_t, dim_t c) { return old * load(fade, Lanes<W>{c}) + sum; });
  }
  /// dP, dR, dK and dV of n tokens.
  [[gnu::noinline]] void respond(dim_t n) const {
    Tile::transpose(Size, Size, g, width, g_turned, width, T(1));
    Base::template pair_up<false>(dy, v, dpairs, n);
    for (dim_t t = 0; t < n; ++t)
      dpairs[t * tokens + t] =
          Row<T, width>::sum([&](auto c) { return load(dy, c + t * width) * load(v, c + t * width); });
    Base::template each_tile<tokens>(width, [&]<int some>(dim_t m, dim_t c) {
      L total[some][packs];
      Tile::multiply(Size, dy + m * width, width, 1, z_turned + c, width, total);
      Base::put(total, dr + m * width + c);
      Tile::multiply(Size, v + m * width, width, 1, g_turned + c, width, total);
      Base::put(total, dwrites + m * width + c);
      Tile::multiply(Size, writes + m * width, width, 1, g + c, width, total);
      Tile::add(tokens - m, pairs + m * tokens + m, 1, tokens, dy + m * width + c, width, total);
      Base::put(total, dv + m * width + c);
    });
  }
  /// The gradients of r, k and w of n tokens.
  [[gnu::noinline]] void differentiate(dim_t n) const {
    for (dim_t c = 0; c < width; c += W) {
      const auto of = [&](const T* p, dim_t t) { return load(p, Lanes<W>{t * width + c}); };
      L by_read[tokens], by_decay[tokens], later{}, past{}, bonus{};
      for (dim_t j = 0; j < Size; ++j) past += of(g_turned, j) * of(z_turned, j);
      past *= of(fade, 0);
      for (dim_t t = 0; t < n; ++t) by_decay[t] = past, past += of(writes, t) * of(dwrites, t);
      L faded = broadcast<L>(1);
      for (dim_t t = 0; t < n; ++t) by_read[t] = faded * of(dr, t), faded *= of(w, t);
      for (dim_t t = n; t-- > 0;) by_decay[t] += later, later += of(reads, t) * of(dr, t);
      for (dim_t s = 0; s < n; ++s) {
        L key = of(k, s), by_key{}, keys[tokens];  // how a later token finds the key, and what it makes of it
        for (dim_t t = s + 1; t < n; ++t) {
          keys[t] = key * of(w, t);
          by_read[t] += dpairs[t * tokens + s] * key;
          key = keys[t];
        }
        for (dim_t t = n; --t > s;) {
          by_decay[t] += keys[t] * by_key;
          by_key = dpairs[t * tokens + s] * of(r, t) + of(w, t) * by_key;
        }
        const L own = broadcast<L>(dpairs[s * tokens + s]), u_own = of(u, 0) * own;
        by_read[s] += u_own * of(k, s), bonus += own * of(r, s) * of(k, s);
        store(dk, Lanes<W>{s * width + c}, by_key + of(left, s) * of(dwrites, s) + u_own * of(r, s));
      }
      L decays{};
      for (dim_t t = 0; t < n; ++t) {
        store(dr, Lanes<W>{t * width + c}, by_read[t]), store(dw, Lanes<W>{t * width + c}, by_decay[t]);
        decays += by_decay[t];
      }
      store(du, Lanes<W>{c}, of(du, 0) + bonus), store(dw_all, Lanes<W>{c}, of(dw_all, 0) + decays);
    }
  }
};

/// Index: a head and a block of time. From its last token to its first, on lanes.
template <class B, dim_t H, dim_t Size, class In, class Out>
struct LanesBackward {
  using T = typename Accum<B>::scalar;
  using Here = BackwardChunk<T, Size>;
  static constexpr dim_t tokens = Here::tokens, width = Here::width;
  In in;
  Out d;
  Starts<B, H, Size> starts;
  Tensor<B, Batch, Time, H * Size> dy;
  State<B, H, Size> dstate;
  Sums<T, Size> sums;  // of every block
  Blocks blocks;
  Between<T, Size> after;

  void operator()(dim_t index) const {
    const dim_t head = index / blocks.count, block = index % blocks.count, end = blocks.end(block, in.seq());
    static thread_local rwkv::detail::ThreadBuffer<T> memory;
    const Here chunk(memory.at_least(Here::size));
    T* const first = dstate.data + head * Size * Size;
    chunk.copy(blocks.count > 1 ? after.of(index) : first, Size, chunk.g, width);
    for (dim_t t = (end - 1) / tokens * tokens; t >= blocks.begin(block); t -= tokens) back(chunk, head, t);
    if (block == 0) chunk.copy(chunk.g, width, first, Size);
    std::copy_n(chunk.du, Size, sums.bonus(index));
    std::copy_n(chunk.dw_all, Size, sums.decay(index));
  }

 private:
  void back(const Here& chunk, dim_t head, dim_t t) const {
    const dim_t n = std::min(tokens, in.seq().time - t), before = t < span ? 0 : tokens;
    const auto want = [&](const auto& x, dim_t from, dim_t count) {
      chunk.ahead.template want<Size>(x.data + in.at(head, from), H * Size, count);
    };
    chunk.ahead.forget();
    want(d.r, t, n), want(d.k, t, n), want(d.v, t, n);
    want(in.r, t - span, before), want(in.k, t - span, before), want(in.v, t - span, before);
    want(dy, t - span, before);
    if constexpr (!In::still) want(d.w, t, n), want(in.w, t - span, before);
    if (before && t % span == 0)
      chunk.ahead.template want<Size>(starts.data + in.start(head, t / span - 1), Size, Size);
    Here::Tile::transpose(Size, Size, starts.data + in.start(head, t / span), Size, chunk.z_turned, width, T(1));
    for (dim_t s = t / span * span; s < t; s += tokens) chunk.read(in, head, s, tokens), chunk.advance_turned();
    chunk.read(in, head, t, n);
    for (dim_t s = 0; s < n; ++s)
      Row<T, Size>::each([&](auto c) { store(chunk.dy, c + s * width, load(dy.data, c + in.at(head, t + s))); });
    std::fill_n(chunk.dy + n * width, (tokens - n) * width, T(0));
    chunk.complete(n);
    chunk.template pair_up<true>(chunk.r, chunk.k, chunk.pairs, n);
    chunk.respond(n);
    chunk.differentiate(n);
    chunk.advance(chunk.reads, chunk.dy, chunk.g);
    for (dim_t s = 0; s < n; ++s)
      Row<T, Size>::each([&](auto c) {
        const auto to = c + in.at(head, t + s), from = c + s * width;
        store(d.r.data, to, load(chunk.dr, from)), store(d.k.data, to, load(chunk.dk, from));
        store(d.v.data, to, load(chunk.dv, from));
        if constexpr (!In::still) store(d.w.data, to, load(chunk.dw, from));
      });
  }
};

}  // namespace rwkv::wkv6
