#pragma once
#include <rwkv/backend/grid.hpp>
#include <rwkv/ops/gpu/moving_tile.hpp>
#include <rwkv/ops/wkv4/passes.hpp>

namespace rwkv::wkv4 {

using rwkv::detail::grid::unrolled;

/// Which channel of which sequence a thread has, and which segment of a tile.
template <dim_t C, int Length, int Warps>
struct Place {
  static constexpr int length = Length, warps = Warps, threads = Warps * warp;
  static constexpr dim_t tile = Length * Warps, groups = (C + warp - 1) / warp;
  int lane, segment;
  dim_t b, c;
  bool inside;

  template <Block Here>
  explicit RWKV_HD Place(Here& here) : lane(here.thread() % warp), segment(here.thread() / warp) {
    b = here.index() / groups, c = here.index() % groups * warp + lane, inside = c < C;
    if (!inside) c = C - 1;  // reads along, writes nothing
  }
  /// How many tokens the segment has that begins at t.
  static RWKV_HD int tokens(dim_t time, dim_t t) {
    return int(math::max<dim_t>(0, math::min<dim_t>(time - t, length)));
  }
};

/// An element for each of a tile's segments; `chained`, what comes before each, in order or from the last.
template <class Number, class Mine, bool Back = false>
struct Segments {
  Element<Number> of[Mine::warps][warp];

  /// Ends with what came before the thread's segment. The first warp chains for all, from what came before the tile:
  /// the others have no part in `carried`.
  template <Block Here>
  RWKV_HD Element<Number> chained(Here& here, const Mine& my, dim_t time, dim_t first, Number w,
                                  Element<Number>& carried) {
    if (my.segment == 0)
#ifdef __CUDA_ARCH__
#pragma unroll 4
#endif
      for (int i = 0; i < Mine::warps; ++i) {
        const int s = Back ? Mine::warps - 1 - i : i, n = Mine::tokens(time, first + s * Mine::length);
        const Element<Number> own = of[s][my.lane];
        of[s][my.lane] = carried;
        if (n > 0) carried = carried.then(own, Number(n) * w);
      }
    here.sync();
    return of[my.segment][my.lane];
  }
};

/// The keys of a whole segment as weights e^{k - s}, where they lie near enough to each other for one scale e^s: see
/// span.hpp. Else, and for fewer tokens, the operator takes token after token from memory, which is rare.
template <class Number, int Length>
struct Weights {
  Number e[Length], s = 0, pp = 0;  // e: the keys, until they are known to be near
  bool near = false;

  template <class T>
  [[gnu::always_inline]] RWKV_HD void read(const T* k, dim_t i, dim_t C, const Channel<Number>& channel) {
    constexpr Number most = reach<Number>;
    unrolled<Length>([&](int j) { e[j] = load(k, i + j * C); });
    Number low = e[0], high = e[0];
    pp = e[0];
    unrolled<Length>([&](int j) {
      low = math::min(low, e[j]), high = math::max(high, e[j]);
      if (j > 0) pp = math::max(pp + channel.w, e[j]);
    });
    s = low + (high - low) * Number(0.5);
    near = high - low <= 2 * most && math::max(channel.u, -channel.u) * 2 <= most;
    if (near) unrolled<Length>([&](int j) { e[j] = weight(e[j] - s); });
  }
  /// Whether what is carried into the segment fits that scale.
  RWKV_HD bool reaches(const Element<Number>& before) const { return near && before.top - s <= reach<Number>; }
  /// The element of the segment.
  [[gnu::always_inline]] RWKV_HD Element<Number> element(const Number (&v)[Length], Number fade) const {
    Element<Number> own{Number(0), Number(0), s};
    unrolled<Length>([&](int j) { own = own.then(fade, e[j] * v[j], e[j]); });
    return own.on(pp);
  }
};
/// The same of n tokens from index i on, by the operator.
template <class T, class Number>
RWKV_HD Element<Number> element_of(const Inputs<T>& in, dim_t i, dim_t C, int n, Number w) {
  Element<Number> own;
  for (int j = 0; j < n; ++j, i += C) own = own.with_token(Number(load(in.k, i)), Number(load(in.v, i)), w);
  return own;
}

}  // namespace rwkv::wkv4
