#pragma once
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/laws.hpp>

namespace laws {

/// Of nets that read tokens.
inline constexpr rwkv::dim_t vocabulary = 11;

/// The library's own layers keep every law, and wild values finite.
template <class L>
void hold() {
  rwkv::testing::expect(rwkv::testing::check_laws<L>({.bounded = true, .vocabulary = vocabulary}));
}

}  // namespace laws
