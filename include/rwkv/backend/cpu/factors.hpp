#pragma once
#include <concepts>
#include <type_traits>

#include <rwkv/backend/cpu/packing.hpp>
#include <rwkv/backend/cpu/pair_packing.hpp>
#include <rwkv/core/bf16_pairs.hpp>

namespace rwkv::detail {

/// How numbers stored as Left and as Right are multiplied: as what both are computed with, a step of k at a time.
template <class Left, class Right>
struct Factors {
  using Sum = compute_of<Left>;
  static_assert(std::is_same_v<Sum, compute_of<Right>>);
  using Number = Sum;                 ///< what operands are packed as
  static constexpr int together = 1;  ///< steps of k that one lane multiplies, side by side in what is packed
  template <class Stored>
  using Packed = Packing<Stored>;

  using L = Pack<Sum, native_width<Sum>>;
  /// What lies at p, for each lane its own.
  template <class Stored>
  [[gnu::always_inline]] static L each(const Stored* p) {
    return load(p, Lanes<width_of<L>>{0});
  }
  /// What lies at p, for all lanes the same.
  [[gnu::always_inline]] static L all(const Number* p) { return broadcast<L>(*p); }
  [[gnu::always_inline]] static L add(L sum, L x, L y) { return sum + x * y; }
  /// Sums as Out, rounded if that is shorter.
  [[gnu::always_inline]] static void put(auto* to, auto i, const auto& sum) { store(to, i, sum); }
};

#if defined(__AVX512BF16__) && !defined(__CUDACC__)
/// bf16 are multiplied as pairs along k, where the processor has a unit for it.
template <std::same_as<bf16> Stored>
struct Factors<Stored, Stored> {
  using Sum = float;
  using Number = bf16;
  static constexpr int together = 2;
  template <class>
  using Packed = PairPacking;

  using L = Pack<float, 16>;
  [[gnu::always_inline]] static Bf16Pairs each(const bf16* p) { return bf16_pairs_at(p); }
  [[gnu::always_inline]] static Bf16Pairs all(const bf16* p) { return bf16_pair_at(p) - Bf16Pairs{}; }
  /// The same of a last number that has no partner.
  [[gnu::always_inline]] static Bf16Pairs all_of_one(const bf16* p) { return std::uint32_t{p->bits} - Bf16Pairs{}; }
  [[gnu::always_inline]] static L add(L sum, Bf16Pairs x, Bf16Pairs y) { return add_pair_products(sum, x, y); }
  [[gnu::always_inline]] static void put(auto* to, auto i, const auto& sum) { store(to, i, sum); }
  [[gnu::always_inline]] static void put(bf16* to, Lanes<16> i, const L& sum) { store_by_unit(to + i.first, sum); }
};
#endif

}  // namespace rwkv::detail
