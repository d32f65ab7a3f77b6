#pragma once
#include <rwkv/layers/init.hpp>

// Initial values that are a function of the channel and of the block's depth.
namespace rwkv::detail {

/// 0 in the first block, 1 in the last.
inline double depth_up(const Site& s) {
  return s.layers > 1 ? double(s.layer) / (s.layers - 1) : 0;
}
/// 1 in the first block, 1 / layers in the last.
inline double depth_down(const Site& s) {
  return 1 - double(s.layer) / s.layers;
}
/// 0 in the first channel, 1 in the last.
inline double unit(const Site& s, double i) {
  return s.columns > 1 ? i / double(s.columns - 1) : 0;
}

/// Value(site, i, gain) for every channel i.
template <auto Value>
constexpr Init by_channel(const char* name, float gain = 1) {
  return {name,
          [](const Site& site, float scale, std::span<float> values) {
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = float(Value(site, double(i), double(scale)));
          },
          gain};
}

}  // namespace rwkv::detail
