#pragma once
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/laws.hpp>

#ifdef THRUST_DEVICE_SYSTEM  // compiled for rwkv::gpu
#include <rwkv/gpu.hpp>
#include <rwkv/testing/machines.hpp>
#endif

namespace laws {

/// Of nets that read tokens.
inline constexpr rwkv::dim_t vocabulary = 11;

/// On the machine that the tests are compiled for.
template <class L>
void hold(const rwkv::testing::Options& options) {
  using namespace rwkv;
#ifdef THRUST_DEVICE_SYSTEM
  testing::expect(testing::check_laws<L, Gpu>(options));
  testing::expect(testing::check_machines<L, Gpu<double>>(options));
  testing::expect(testing::check_machines<L, Gpu<float>>(options));
#else
  testing::expect(testing::check_laws<L>(options));
#endif
}
/// The library's own layers keep every law, and wild values finite.
template <class L>
void hold() {
  hold<L>({.bounded = true, .vocabulary = vocabulary});
}

}  // namespace laws
