#pragma once
#include <limits>

#include <rwkv/ops/wkv4/past.hpp>

// What is known of a channel before any token: worked out once a call, and in double, since an error of w grows with
// time.
namespace rwkv::detail {

/// w = -exp(time_decay).
template <class L>
[[gnu::always_inline]] RWKV_HD inline L w_of(L time_decay) {
  const L log_w = math::min(broadcast<L>(9), time_decay);  // e^-8000 leaves as little as less
  return -mantissa(log_w) * power(whole_exponent(log_w));
}
/// e^log for log <= 0.
template <class L>
[[gnu::always_inline]] RWKV_HD inline Decay<L> decay_of(L log) {
  const L nearest = whole_exponent(log), over = small_weight_less_1(remainder(log, nearest));
  const auto grows = over > L{};  // no: where keys are so large that exponents vanish beside them, too
  using T = scalar_of<L>;
  return {log, grows ? nearest + T(1) : nearest, grows ? (over - T(1)) * T(0.5) : over, L{}};
}

/// Rows of a (rows, C).
template <class L>
struct Channel {
  static constexpr dim_t rows = 18;
  Decay<L> token, span, tail, block;  // over a token, a span, the last span, a block of spans
  L bonus_exponent, bonus_mantissa;   // e^u

  template <class T, class I>
  [[gnu::always_inline]] static RWKV_HD Channel read(const T* p, I c, dim_t C) {
    const auto row = [&](dim_t r) { return load(p, c + r * C); };
    const auto decay = [&](dim_t r) { return Decay<L>{row(r), row(r + 1), row(r + 2), row(r + 3)}; };
    return {decay(0), decay(4), decay(8), decay(12), row(16), row(17)};
  }
  /// What a few tokens need, in T itself: an error of w is theirs alone.
  [[gnu::always_inline]] static RWKV_HD Channel of(L time_decay, L time_first) {
    Channel channel{};
    channel.token = decay_of(w_of(time_decay));
    channel.bonus_exponent = whole_exponent(time_first);
    channel.bonus_mantissa = mantissa(time_first, channel.bonus_exponent);
    return channel;
  }
  RWKV_HD L bonus() const { return bonus_mantissa * power(bonus_exponent); }
  RWKV_HD const Decay<L>& over(dim_t tokens) const { return tokens == rwkv::span ? span : tail; }
};

/// Where e^{t w} stands for t tokens, t <= span: those of a register's channels together, so that a long row of
/// channels does not drive them out of the cache.
inline RWKV_HD dim_t fade_at(dim_t c, dim_t t) {
  return c * (span + 1) + t;
}
template <int W>
RWKV_HD Lanes<W> fade_at(Lanes<W> c, dim_t t) {
  return {c.first * (span + 1) + t * W};
}

/// What WKV-4 is made from: rows of Channel, fades (C, span + 1), keys and values.
template <class T>
struct Wkv4Inputs {
  Seq seq;
  const T* time_first;
  const compute_of<T>*channels, *fades;
  const T *k, *v;
};
template <class T>
struct Wkv4Gradients {
  const compute_of<T>* starts;
  const T* dy;
  T *dk, *dv;
};

/// `tail`, `block` and `longest`, the longest stretch, in tokens. No fades where every token is walked: then little is
/// needed. The work is done in double, in as many lanes as there are.
template <class T, dim_t C>
struct Wkv4Channels {
  using N = compute_of<T>;
  dim_t tail, block, longest;
  const T *time_decay, *time_first;
  N *channels, *fades;

  RWKV_HD void operator()(dim_t, auto c) const {
    constexpr int width = width_of<At<T, decltype(c)>>, wide = native_width<double>;
    if constexpr (width <= wide) {
      fill(c, fade_at(c, 0), width);
    } else {
      for (int j = 0; j < width; j += wide) fill(Lanes<wide>{c.first + j}, Lanes<wide>{fade_at(c, 0).first + j}, width);
    }
  }

 private:
  template <class I>
  RWKV_HD void fill(I c, I fade, dim_t stride) const {
    using L = At<T, I>;
    using D = At<double, I>;
    const D w = w_of(convert<double>(load(time_decay, c)));
    const auto put = [&](dim_t row, L x) { store(channels, c + row * C, x); };
    const auto decay = [&](dim_t row, dim_t n) __attribute__((always_inline)) {
      const Decay<D> over = decay_of(w * static_cast<double>(n));
      const L rounded = convert<N>(over.rest);
      put(row, convert<N>(over.log)), put(row + 1, convert<N>(over.exponent)), put(row + 2, rounded);
      put(row + 3, convert<N>(over.rest - convert<double>(rounded)));
      return power(over.exponent) * (over.rest + 1);
    };
    const D one = decay(0, 1);
    const D u = convert<double>(load(time_first, c)), exponent = whole_exponent(u);
    put(16, convert<N>(exponent)), put(17, convert<N>(mantissa(u, exponent)));
    if (!fades) return;
    decay(4, span), decay(8, tail), decay(12, block);
    const auto next = [&](D x) __attribute__((always_inline)) {
      const L rounded = convert<N>(x);
      store(fades, fade, rounded < std::numeric_limits<N>::min() ? L{} : rounded);
      fade = fade + stride;
    };
    const D two = one * one;
    D all = broadcast<D>(1);
    for (dim_t t = 0; t < longest; t += 2, all = all * two) next(all), next(all * one);
  }
};

}  // namespace rwkv::detail
