#pragma once
#include <array>
#include <utility>

#include <rwkv/core/math.hpp>

namespace rwkv::detail {

/// Phi(-x) = e^(-x^2/2) t P(scale t - shift) for x >= 0, t = 1 / (1 + 0.2125 x); tests/golden/normal_tail.py made P.
template <class T>
struct NormalTail;
template <>
struct NormalTail<float> {
  static constexpr float scale = 2.69716776f, shift = 1.69716776f;
  static constexpr std::array p{0.206330573f,   0.151172083f,    0.0871955172f,   0.0391437675f,  0.0131159662f,
                                0.00291038652f, 0.000235385905f, -8.08733944e-5f, -2.28168253e-5f};
};
template <>
struct NormalTail<double> {
  static constexpr double scale = 2.243828101188662, shift = 1.243828101188662;
  static constexpr std::array p{
      0.17904533917896927,     0.14463278091700229,     0.096011554170462846,   0.051564952157316472,
      0.021586563770171449,    0.0064360547571937413,   0.00098368651908167181, -0.00014916804093037961,
      -0.00011159891893539953, -9.7482518475786876e-6,  8.5065339641360344e-6,  1.9348857688086684e-6,
      -7.0712945363146388e-7,  -2.4159058525656715e-7,  7.4974815897376511e-8,  2.7468994611210385e-8,
      -1.0102241908586916e-8,  -2.8493655390171129e-9,  1.5101303397021365e-9,  2.3713775472048564e-10,
      -2.0321941522195139e-10, -1.1295784540930132e-11, 1.6865606592403481e-11};
};

/// A number of P by itself: a device reads constants, but no array of the host's.
template <class T, std::size_t Index>
inline constexpr T normal_tail = NormalTail<T>::p[Index];

/// The standard normal distribution at x: Phi, the share below x, and e^(-x^2/2).
template <class L>
struct Normal {
  using T = scalar_of<L>;
  L below, bell;
  [[gnu::always_inline]] RWKV_HD explicit Normal(L x) {
    using Tail = NormalTail<T>;
    const L size = math::max(x, -x), t = T(1) / (size * T(0.2125) + T(1));
    bell = math::exp_nonpositive(x * x * T(-0.5));
    const L tail = bell * t * polynomial(t * Tail::scale - Tail::shift, std::make_index_sequence<Tail::p.size() - 1>{});
    below = x > T(0) ? T(1) - tail : tail;
  }

 private:
  template <std::size_t... Index>
  [[gnu::always_inline]] static RWKV_HD L polynomial(L z, std::index_sequence<Index...>) {
    L p = L{} + normal_tail<T, sizeof...(Index)>;
    ((p = p * z + normal_tail<T, sizeof...(Index) - 1 - Index>), ...);
    return p;
  }
};

}  // namespace rwkv::detail
