#pragma once
#include <utility>

#include <rwkv/ops/wkv4/exponent.hpp>

// The element of WKV-4's recurrence and its one operator. A stretch of tokens turns the sums A, B before it into
// e^{n w} A + a, e^{n w} B + b: a and b say all about it, and how far they fade the operator is told. A past is the
// stretch since the beginning, a token is (e^k v, e^k), and the gradients of A and B obey the same law from the end.
//
// Sums are held as aa 2^E, E the whole number nearest to pp / ln2: pp, the largest exponent in them, keeps aa and bb
// within reach, and what is brought from one scale to another is multiplied by a power of two, which rounds nothing.
namespace rwkv::detail {

/// How much n tokens fade: e^{n w} = 2^exponent (1 + rest + low), rest <= 0, low being what rounding took from it.
template <class L>
struct Decay {
  L log, exponent, rest, low;  // log = n w
};

/// The upper half of x's digits: products of halves are exact.
template <class L>
[[gnu::always_inline]] inline L upper_digits(L x) {
  using Whole = math::detail::Bits<L>;
  constexpr int lower = (Binary<scalar_of<L>>::mantissa + 1) / 2;
  return std::bit_cast<L>(std::bit_cast<Whole>(x) >> lower << lower);
}
/// What rounding took from product = x y (Dekker 1971, "A floating-point technique for extending the available
/// precision").
template <class L>
[[gnu::always_inline]] RWKV_HD inline L product_low(L x, L y, L product) {
#ifdef __CUDA_ARCH__
  return ::fma(x, y, -product);
#else
  const L x_high = upper_digits(x), x_low = x - x_high, y_high = upper_digits(y), y_low = y - y_high;
  return ((x_high * y_high - product) + (x_high * y_low + x_low * y_high)) + x_low * y_low;
#endif
}

/// x + y, and what its rounding took.
template <class L>
struct TwoSum {
  L sum, low;
  [[gnu::always_inline]] RWKV_HD TwoSum(L x, L y) : sum(x + y) {
    const L of_y = sum - x;
    low = (x - (sum - of_y)) + (y - of_y);
  }
};

/// The past of a channel, any stretch of tokens, or the gradients of A and B. Beside the sums what rounding took from
/// them, so that thousands of steps are as exact as one (Kahan 1965, "Further remarks on reducing truncation errors").
template <class L>
struct Past {
  static constexpr dim_t rows = 5;
  L aa, bb, pp, aa_low{}, bb_low{};

  /// No tokens: any finite pp that no key reaches; an infinity would make NaN.
  [[gnu::always_inline]] static RWKV_HD Past none() { return {L{}, L{}, broadcast<L>(scalar_of<L>(-1e38))}; }
  /// Rows of a (..., 3, C): the sums alone.
  template <class T, class I>
  [[gnu::always_inline]] static RWKV_HD Past read_sums(const T* p, I i, dim_t C) {
    return {load(p, i), load(p, i + C), load(p, i + 2 * C)};
  }
  template <class T, class I>
  [[gnu::always_inline]] RWKV_HD void write_sums(T* p, I i, dim_t C) const {
    store(p, i, aa), store(p, i + C, bb), store(p, i + 2 * C, pp);
  }
  /// Rows of a (..., rows, C).
  template <class T, class I>
  [[gnu::always_inline]] static RWKV_HD Past read(const T* p, I i, dim_t C) {
    return {load(p, i), load(p, i + C), load(p, i + 2 * C), load(p, i + 3 * C), load(p, i + 4 * C)};
  }
  template <class T, class I>
  [[gnu::always_inline]] RWKV_HD void write(T* p, I i, dim_t C) const {
    write_sums(p, i, C), store(p, i + 3 * C, aa_low), store(p, i + 4 * C, bb_low);
  }
  /// From sums aa e^pp, and to them.
  [[gnu::always_inline]] RWKV_HD Past enter() const {
    const L m = mantissa(pp);
    return {m * aa, m * bb, pp};
  }
  [[gnu::always_inline]] RWKV_HD Past leave() const {
    const L m = mantissa(-pp);
    return {m * aa, m * bb, pp};
  }
  /// The operator: this, faded, and then what is later. Associative, not commutative.
  [[gnu::always_inline]] RWKV_HD Past then(const Past& later, const Decay<L>& decay) const {
    const L next = math::max(pp + decay.log, later.pp), exponent = whole_exponent(next);
    const L keep = power(whole_exponent(pp) + decay.exponent - exponent),
            add = power(whole_exponent(later.pp) - exponent);
    const auto sum = [&](L past, L past_low, L added, L added_low) __attribute__((always_inline)) {
      const L kept = keep * past, less = decay.rest * kept;
      const TwoSum<L> faded(kept, less), all(faded.sum, add * added);
      const L lost = keep * past_low + (decay.low * kept + product_low(decay.rest, kept, less)) + add * added_low;
      const L low = all.low + (faded.low + lost), sum = all.sum + low;
      return std::pair(sum, low - (sum - all.sum));
    };
    const auto a = sum(aa, aa_low, later.aa, later.aa_low), b = sum(bb, bb_low, later.bb, later.bb_low);
    return {a.first, b.first, next, a.second, b.second};
  }
};

}  // namespace rwkv::detail
