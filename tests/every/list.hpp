#pragma once
#include <tuple>

#include <rwkv/core/config.hpp>

namespace every {

/// What a suite must know of a layer beside its type.
struct Traits {
  bool bounded = true;            ///< wild values do not overflow
  bool dropout = false;           ///< is tried as in training, where it drops
  bool reduced_precision = true;  ///< can be stored in bf16
};

/// A line of a list.
template <class L, Traits Of = Traits{}>
struct Line {
  using layer = L;
  static constexpr Traits traits = Of;
};
template <class... Lines>
struct List {};
template <class... A, class... B>
List<A..., B...> operator+(List<A...>, List<B...>);

namespace detail {
template <class List>
struct Layers;
template <class... L, Traits... Of>
struct Layers<List<Line<L, Of>...>> {
  using type = std::tuple<L...>;
};
}  // namespace detail
/// The layers of a list without what is known of them, for TEST_CASE_TEMPLATE_APPLY.
template <class List>
using layers_of = typename detail::Layers<List>::type;

/// Of layers that read tokens.
inline constexpr rwkv::dim_t vocabulary = 11;

}  // namespace every
