#pragma once
#include <rwkv/layers/layer.hpp>

namespace rwkv {
namespace detail {

template <class Family, dim_t Size>
inline constexpr dim_t size_of = parameters<typename Family::template of<Size>>();

constexpr dim_t apart(dim_t a, dim_t b) {
  return a < b ? b - a : a - b;
}

/// The Size from Low to High whose member of the family has the number of parameters nearest to Target, by halving:
/// about log2(High - Low) types are looked at.
template <class Family, dim_t Target, dim_t Low, dim_t High>
consteval dim_t nearest_size() {
  if constexpr (High - Low <= 1) {
    return apart(size_of<Family, Low>, Target) <= apart(size_of<Family, High>, Target) ? Low : High;
  } else {
    constexpr dim_t middle = Low + (High - Low) / 2;
    if constexpr (size_of<Family, middle> < Target)
      return nearest_size<Family, Target, middle, High>();
    else
      return nearest_size<Family, Target, Low, middle>();
  }
}

}  // namespace detail

/// For fair comparisons: the member of a family of models that has as many parameters as Reference, within 2 %, found
/// while compiling. A family is a struct whose `template <dim_t Size> using of` is a model that grows with Size:
///   struct Transformer { template <dim_t Size> using of = gpt2::Model<96, 4 * Size, 6, 4, 256>; };
///   using Rival = SizeMatch<v4::Model<96, 384, 6>, Transformer>::type;
template <class Reference, class Family, dim_t Low = 1, dim_t High = 1024>
struct SizeMatch {
  static_assert(0 < Low && Low <= High, "SizeMatch: the search goes from Low, at least 1, to High");
  static constexpr dim_t target = parameters<Reference>(), n = detail::nearest_size<Family, target, Low, High>(),
                         found = detail::size_of<Family, n>;
  static_assert(50 * detail::apart(found, target) <= target,
                "SizeMatch: no model of the family has as many parameters as the reference within 2 %; let the family "
                "grow in smaller steps, or search a wider range of sizes");
  using type = typename Family::template of<n>;
};

}  // namespace rwkv
