#pragma once
#include <rwkv/core/lanes.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/core/shape.hpp>

// The element of WKV-4's recurrence and its one operator, for processors and GPUs. Tokens in a row turn the sums A, B
// before them into e^{n w} A + a, e^{n w} B + b: a and b say all about them. The state is the element of all tokens so
// far; the gradients of A and B obey the same law from the last token on.
namespace rwkv::wkv4 {

/// How far exponents may lie from a scale: products of two weights e^reach and e^u are normal numbers.
template <class T>
inline constexpr T reach = sizeof(T) == 4 ? 40 : 300;

/// The sums a e^top and b e^top.
template <class L>
struct Element {
  L a{}, b{}, top = broadcast<L>(-1e38f);  // no tokens: a top that no key reaches; an infinity would make NaN

  /// The operator: this, faded by e^decay over the tokens of `later`, and then those. Associative, not commutative. Up
  /// to exponents of 8192, `keep` makes up for what rounding takes from top + decay.
  [[gnu::always_inline]] RWKV_HD Element then(const Element& later, L decay) const {
    const L next = math::max(top + decay, later.top);
    const L keep = math::exp(math::min(broadcast<L>(0.001f), (top - next) + decay));
    const L add = math::exp_nonpositive(later.top - next);
    return {keep * a + add * later.a, keep * b + add * later.b, next};
  }
  [[gnu::always_inline]] RWKV_HD Element with_token(L k, L v, L w) const { return then({v, broadcast<L>(1), k}, w); }
  /// The same on one scale.
  [[gnu::always_inline]] RWKV_HD Element then(L fade, L later_a, L later_b) const {
    return {fade * a + later_a, fade * b + later_b, top};
  }
  /// The same sums on the scale e^to.
  [[gnu::always_inline]] RWKV_HD Element on(L to) const {
    const L scale = math::exp(math::min(broadcast<L>(2 * reach<scalar_of<L>>), top - to));
    return {scale * a, scale * b, to};
  }
  /// Rows of a (..., 3, C).
  template <class T, class Index>
  [[gnu::always_inline]] static RWKV_HD Element read(const T* p, Index i, dim_t C) {
    return {load(p, i), load(p, i + C), load(p, i + 2 * C)};
  }
  template <class T, class Index>
  [[gnu::always_inline]] RWKV_HD void write(T* p, Index i, dim_t C) const {
    store(p, i, a), store(p, i + C, b), store(p, i + 2 * C, top);
  }
};

/// A token, the state that it sees, and the output that both make.
template <class L>
struct Token {
  L k, v;
  Element<L> state;
  L y, self, over, top;  // over e^-top = 1 / (B + e^{u + k}); self is the token's own weight in the output
  Token() = default;
  [[gnu::always_inline]] RWKV_HD Token(const Element<L>& before, L u, L key, L value)
      : k(key), v(value), state(before) {
    top = math::max(state.top, u + k);
    const L of_state = math::exp_nonpositive(state.top - top);
    const L of_token = math::exp_nonpositive(math::min(broadcast<L>(0.001f), (k - top) + u));
    over = scalar_of<L>(1) / math::max(broadcast<L>(1e-4f), of_state * state.b + of_token);  // less: a lost scale
    self = of_token * over;
    y = of_state * over * state.a + self * v;
  }
  /// What the token adds to the gradients of A and B: q = dy / (B + e^{u + k}) and -q y.
  [[gnu::always_inline]] RWKV_HD Element<L> adjoint(L dy) const { return {dy * over, -(dy * over) * y, -top}; }
};

/// The gradients of a token, from dy and the gradients d of A and B after it.
template <class L>
struct TokenGradients {
  L dk, dv, dw, du;
  [[gnu::always_inline]] RWKV_HD TokenGradients(const Token<L>& token, L w, L dy, const Element<L>& d) {
    const L most = broadcast<L>(reach<scalar_of<L>>), weight = math::exp_nonpositive(math::min(most, token.k + d.top));
    const L faded = math::exp_nonpositive(math::min(most, w + (token.state.top + d.top)));
    const L self = token.self * dy;
    du = self * (token.v - token.y);
    dv = self + weight * d.a;
    dk = du + weight * (token.v * d.a + d.b);
    dw = faded * (token.state.a * d.a + token.state.b * d.b);
  }
};

/// What is known of a channel before any token.
template <class L>
struct Channel {
  L w, u, fade, bonus;  // e^w, e^u
  template <class T, class Index>
  [[gnu::always_inline]] static RWKV_HD Channel read(const T* time_decay, const T* time_first, Index c) {
    const L w = -math::exp(math::min(broadcast<L>(9), load(time_decay, c)));  // e^-8000 leaves as much as less would
    const L u = load(time_first, c);
    return {w, u, math::exp(w), math::exp(u)};  // no least weight: a sum may be as large as e^reach
  }
};

/// What WKV-4 is made from.
template <class T>
struct Inputs {
  Seq seq;
  const T *time_decay, *time_first, *k, *v;
  RWKV_HD dim_t tokens(dim_t n) const { return math::min(span, seq.time - n * span); }  // of span n
};
/// What its backward needs beside that, and writes for every token.
template <class T>
struct Gradients {
  const compute_of<T>* starts;
  const T* dy;
  T *dk, *dv;
};

}  // namespace rwkv::wkv4
