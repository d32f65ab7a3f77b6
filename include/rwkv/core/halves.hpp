#pragma once
#include <cstdint>

#include <rwkv/core/lanes.hpp>

namespace rwkv::detail {

/// Numbers of 16 bits as ones of 32. GCC's convertvector takes four instructions, for half a register each time, where
/// the processor has one.
template <class Halves>
[[gnu::always_inline]] RWKV_HD inline auto widen_halves(Halves x) {
  return convert<std::uint32_t>(x);
}
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
#ifdef __AVX512F__
[[gnu::always_inline]] inline auto widen_halves(Pack<std::uint16_t, 16> x) {
  using Signed = Pack<short, 16>;
  return reinterpret_cast<Pack<std::uint32_t, 16>>(
      __builtin_ia32_pmovzxwd512_mask(reinterpret_cast<Signed>(x), Pack<int, 16>{}, 0xFFFF));
}
#endif
#ifdef __AVX2__
[[gnu::always_inline]] inline auto widen_halves(Pack<std::uint16_t, 8> x) {
  using Signed = Pack<short, 8>;
  return reinterpret_cast<Pack<std::uint32_t, 8>>(__builtin_ia32_pmovzxwd256(reinterpret_cast<Signed>(x)));
}
#endif
#endif

/// The lower halves of numbers of 32 bits.
template <class Words>
[[gnu::always_inline]] RWKV_HD inline auto narrow_to_halves(Words x) {
  return convert<std::uint16_t>(x);
}
#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
[[gnu::always_inline]] inline auto narrow_to_halves(Pack<std::uint32_t, 16> x) {
  using Signed = Pack<int, 16>;
  return reinterpret_cast<Pack<std::uint16_t, 16>>(
      __builtin_ia32_pmovdw512_mask(reinterpret_cast<Signed>(x), Pack<short, 16>{}, 0xFFFF));
}
#endif

}  // namespace rwkv::detail
