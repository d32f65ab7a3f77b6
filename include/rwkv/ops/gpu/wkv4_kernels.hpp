#pragma once
#include <rwkv/backend/grid.hpp>
#include <rwkv/core/lanes.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/core/shape.hpp>

// WKV-4, a block to 32 channels of a sequence. A warp takes a stretch of tokens, a thread a channel of it: the stretch
// is read once and kept in registers, folded to one element, and gone through again from what came before, which the
// elements of the warps before it say. So a tile of time costs one latency instead of one for every token, whatever
// the batch. In float, bytes a token and channel: forward 8 in and 4 out, backward 12 in and 8 out, and 12 for every
// span. Exponentials: about 4 and 8. On an H100 (3.35 TB/s, about 3.7e12 exponentials/s) that is at least 2.8 ns a
// token of 768 channels forwards and 4.6 ns backwards; the exponentials take 0.8 and 1.5 ns.
namespace rwkv::detail::grid {

/// Sums a e^top and b e^top over a stretch of tokens, top being the largest exponent in them: see ops/wkv4.hpp.
template <class T>
struct Wkv4Sums {
  T a = 0, b = 0, top = T(-1e38);

  /// This, faded by e^decay over the tokens of `later`, and then `later`. Rounding takes a little of the faded
  /// exponent, which would add up over time: the sums make up for it.
  RWKV_HD Wkv4Sums then(const Wkv4Sums& later, T decay) const {
    const T apart = (top - later.top) + decay, e = math::exp(apart < T(0) ? apart : -apart);
    if (apart < T(0)) return {e * a + later.a, e * b + later.b, later.top};
    const T faded = top + decay, added = faded - top, lost = (top - (faded - added)) + (decay - added);
    const T more = lost > T(-0.01) && lost < T(0.01) ? lost : T(0), both_a = a + e * later.a, both_b = b + e * later.b;
    return {both_a + more * both_a, both_b + more * both_b, faded};
  }
  static RWKV_HD Wkv4Sums read(const T* p, dim_t i, dim_t C) { return {p[i], p[i + C], p[i + 2 * C]}; }
  RWKV_HD void write(T* p, dim_t i, dim_t C) const { p[i] = a, p[i + C] = b, p[i + 2 * C] = top; }
};

/// The output of a token, and the weights in it of what came before (1 if that is not named) and of the token, both
/// over e^top.
template <class T>
struct Wkv4Output {
  T y, of_token, over, top;  // over = 1 / denominator
  RWKV_HD Wkv4Output(const Wkv4Sums<T>& past, T u, T k, T v) {
    const T apart = (past.top - k) - u, e = math::exp(apart < T(0) ? apart : -apart);
    const T of_past = apart < T(0) ? e : T(1);
    of_token = apart < T(0) ? T(1) : e, top = apart < T(0) ? u + k : past.top;
    over = T(1) / (of_past * past.b + of_token);
    y = (of_past * past.a + of_token * v) * over;
  }
};

/// Which channel of which sequence a thread has, and which stretch of a tile.
template <dim_t C, int Length, int Warps>
struct Wkv4Place {
  static constexpr int length = Length, warps = Warps, threads = Warps * warp;
  static constexpr dim_t tile = Length * Warps, groups = (C + warp - 1) / warp;
  int lane, stretch;
  dim_t b, c;
  bool inside;

  template <Block Here>
  explicit RWKV_HD Wkv4Place(Here& here)
      : lane(here.thread() % warp),
        stretch(here.thread() / warp),
        b(here.index() / groups),
        c(here.index() % groups * warp + lane),
        inside(c < C) {
    if (!inside) c = C - 1;  // reads along, writes nothing
  }
  /// How many tokens the stretch has that begins at t.
  static RWKV_HD int tokens(dim_t time, dim_t t) {
    return t >= time ? 0 : static_cast<int>(time - t < length ? time - t : length);
  }
  /// f(j) for the tokens of a stretch, n of them.
  template <class F>
  static RWKV_HD void each(int n, const F& f) {
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
    for (int j = 0; j < length; ++j)
      if (j < n) f(j);
  }
  template <class F>
  static RWKV_HD void each_back(int n, const F& f) {
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
    for (int j = length - 1; j >= 0; --j)
      if (j < n) f(j);
  }
};

/// The elements of all stretches of a tile.
template <class T, class Mine, bool Back = false>
struct Wkv4Elements {
  Wkv4Sums<T> of[Mine::warps][warp];
};

template <class T, dim_t C>
struct Wkv4Forward {
  using Mine = Wkv4Place<C, 16, 16>;
  static constexpr int threads = Mine::threads;
  using N = compute_of<T>;
  Seq seq;
  const T *time_decay, *time_first, *k, *v;
  T* y;
  N *state, *starts;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const Mine my(here);
    auto& elements = here.template shared<Wkv4Elements<N, Mine>>();
    const N w = -math::exp(load(time_decay, my.c)), u = time_first[my.c];
    auto carried = Wkv4Sums<N>::read(state, my.b * 3 * C + my.c, C);
    for (dim_t first = 0; first < seq.time; first += Mine::tile) {
      const dim_t t = first + my.stretch * Mine::length, i = (my.b * seq.time + t) * C + my.c;
      const int n = Mine::tokens(seq.time, t);
      N k_t[Mine::length]{}, v_t[Mine::length]{};
      Mine::each(n, [&](int j) { k_t[j] = k[i + j * C], v_t[j] = v[i + j * C]; });
      Wkv4Sums<N> own;
      Mine::each(n, [&](int j) { own = own.then({v_t[j], N(1), k_t[j]}, w); });
      elements.of[my.stretch][my.lane] = own;
      here.sync();
      Wkv4Sums<N> past;
      for (int s = 0; s < Mine::warps; ++s) {
        if (s == my.stretch) past = carried;
        const int tokens = Mine::tokens(seq.time, first + s * Mine::length);
        if (tokens > 0) carried = carried.then(elements.of[s][my.lane], N(tokens) * w);
      }
      here.sync();  // the elements have been read
      if (!my.inside || n == 0) continue;
      if (starts && t % span == 0) past.write(starts, (my.b * seq.spans() + t / span) * 3 * C + my.c, C);
      Mine::each(n, [&](int j) {
        store(y, i + j * C, Wkv4Output<N>(past, u, k_t[j], v_t[j]).y);
        past = past.then({v_t[j], N(1), k_t[j]}, w);
      });
    }
    if (my.inside && my.stretch == 0) carried.write(state, my.b * 3 * C + my.c, C);
  }
};

/// The tiles of time from the last. With q_t = dy_t / (B_{t-1} + e^{u + k_t}) the gradients of A and B are sums as
/// well,
///
///   dA_{t-1} = e^w dA_t + q_t,   dB_{t-1} = e^w dB_t - q_t y_t
///
/// so that the same elements bring them back through time.
template <class T, dim_t C>
struct Wkv4Backward {
  using Mine = Wkv4Place<C, 8, 16>;
  using N = compute_of<T>;
  using Sums = Wkv4Sums<N>;
  static constexpr int threads = Mine::threads, of_span = span / Mine::length;  // stretches
  static_assert(span % Mine::length == 0 && Mine::tile % span == 0);
  Seq seq;
  const T *time_decay, *time_first, *k, *v;
  const N* starts;
  const T* dy;
  T *dk, *dv;
  N *dstate, *sums;  // sums (batch, 2, C): what this sequence adds to the gradients of w and u

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const Mine my(here);
    auto& elements = here.template shared<Wkv4Elements<N, Mine>>();
    auto& adjoints = here.template shared<Wkv4Elements<N, Mine, true>>();
    const N w = -math::exp(load(time_decay, my.c)), u = time_first[my.c];
    const dim_t spans = seq.spans(), last = (seq.time - 1) / Mine::tile * Mine::tile;
    const auto start = [&](dim_t n) { return Sums::read(starts, (my.b * spans + n) * 3 * C + my.c, C); };
    const auto after = [&](Sums past, dim_t first, int from, int to) {  // stretches of the tile that begins at `first`
      for (int s = from; s < to; ++s)
        if (const int n = Mine::tokens(seq.time, first + s * Mine::length); n > 0)
          past = past.then(elements.of[s][my.lane], N(n) * w);
      return past;
    };
    Sums carried;
    N dw = 0, du = 0;
    for (dim_t first = last; first >= 0; first -= Mine::tile) {
      const dim_t t = first + my.stretch * Mine::length, i = (my.b * seq.time + t) * C + my.c;
      const int n = Mine::tokens(seq.time, t);
      N k_t[Mine::length]{}, v_t[Mine::length]{}, q[Mine::length]{};
      Mine::each(n, [&](int j) { k_t[j] = k[i + j * C], v_t[j] = v[i + j * C], q[j] = dy[i + j * C]; });
      Sums own;
      Mine::each(n, [&](int j) { own = own.then({v_t[j], N(1), k_t[j]}, w); });
      elements.of[my.stretch][my.lane] = own;
      here.sync();
      if (first == last) {  // dstate is on the inverse of the last state's scale
        const int of_last = static_cast<int>(((spans - 1) * span - first) / Mine::length);
        carried = Sums::read(dstate, my.b * 3 * C + my.c, C);
        carried.top = -after(start(spans - 1), first, of_last, Mine::warps).top;
      }

      Sums past, past_t[Mine::length], d;
      N y[Mine::length]{}, self[Mine::length]{}, top[Mine::length]{};
      if (n > 0) past = after(start(t / span), first, my.stretch / of_span * of_span, my.stretch);
      Mine::each(n, [&](int j) {
        const Wkv4Output<N> output(past, u, k_t[j], v_t[j]);
        q[j] *= output.over, y[j] = output.y, self[j] = output.of_token * q[j], top[j] = output.top;
        past_t[j] = past;
        past = past.then({v_t[j], N(1), k_t[j]}, w);
      });
      const auto before = [&](const Sums& d, int j) { return d.then({q[j], -q[j] * y[j], -top[j]}, w); };
      Mine::each_back(n, [&](int j) { d = before(d, j); });
      adjoints.of[my.stretch][my.lane] = d;
      here.sync();
      for (int s = Mine::warps; s-- > 0;) {
        if (s == my.stretch) d = carried;
        const int tokens = Mine::tokens(seq.time, first + s * Mine::length);
        if (tokens > 0) carried = carried.then(adjoints.of[s][my.lane], N(tokens) * w);
      }
      Mine::each_back(n, [&](int j) {
        const N weight = math::exp(k_t[j] + d.top), bonus = self[j] * (v_t[j] - y[j]);
        if (my.inside) {
          store(dv, i + j * C, self[j] + weight * d.a);
          store(dk, i + j * C, bonus + weight * (v_t[j] * d.a + d.b));
        }
        du += bonus;
        dw += math::exp(w + (past_t[j].top + d.top)) * (past_t[j].a * d.a + past_t[j].b * d.b);
        d = before(d, j);
      });
      here.sync();  // both kinds of elements have been read
    }
    elements.of[my.stretch][my.lane] = {dw, du, N(0)};
    here.sync();
    if (!my.inside || my.stretch > 0) return;
    for (int s = 1; s < Mine::warps; ++s) dw += elements.of[s][my.lane].a, du += elements.of[s][my.lane].b;
    sums[my.b * 2 * C + my.c] = dw, sums[my.b * 2 * C + C + my.c] = du;
    const Sums first = start(0);
    const N scale = math::exp(carried.top + first.top), daa = scale * carried.a, dbb = scale * carried.b;
    Sums{daa, dbb, first.a * daa + first.b * dbb}.write(dstate, my.b * 3 * C + my.c, C);
  }
};

/// dtime_decay and dtime_first from the sums of all sequences, the first to the last; dw/dtime_decay = w.
template <class T, dim_t C>
struct Wkv4Parameters {
  using N = compute_of<T>;
  dim_t batch;
  const T* time_decay;
  const N* sums;
  N *dtime_decay, *dtime_first;
  RWKV_HD void operator()(dim_t, auto c) const {
    At<T, decltype(c)> dw{}, du{};
    for (dim_t b = 0; b < batch; ++b) {
      dw = dw + load(sums, b * 2 * C + c);
      du = du + load(sums, b * 2 * C + C + c);
    }
    store(dtime_decay, c, load(dtime_decay, c) - math::exp(load(time_decay, c)) * dw);
    store(dtime_first, c, load(dtime_first, c) + du);
  }
};

}  // namespace rwkv::detail::grid
