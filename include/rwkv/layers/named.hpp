#pragma once
#include <cstddef>

#include <rwkv/core/fields.hpp>

namespace rwkv {

/// A string in a template argument.
template <std::size_t Length>
struct Name {
  char text[Length]{};
  constexpr Name(const char (&s)[Length]) {
    for (std::size_t i = 0; i < Length; ++i) text[i] = s[i];
  }
};

/// L under the name that its parameters are stored by.
template <Name Called, class L>
struct Named : L {
  static constexpr auto name = Called;
};

}  // namespace rwkv
