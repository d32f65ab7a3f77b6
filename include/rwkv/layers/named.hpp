#pragma once
#include <cstddef>

#include <rwkv/core/fields.hpp>

namespace rwkv {

/// A string in a template argument.
template <std::size_t N>
struct Name {
  char text[N]{};
  constexpr Name(const char (&s)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = s[i];
  }
};

/// L under the name that its parameters are stored by.
template <Name N, class L>
struct Named : L {
  static constexpr auto name = N;
};

namespace detail {
/// What a composer calls its child: the child's name; nothing if it composes others, which name themselves; else its
/// place.
template <class L>
constexpr Field field_of(int place) {
  if constexpr (requires { L::name; })
    return {.name = L::name.text};
  else if constexpr (requires { L::composes; })
    return {};
  else
    return {.index = place};
}
}  // namespace detail

}  // namespace rwkv
