#pragma once
#include <cmath>

#include <rwkv/layers/init.hpp>

// Initial values of GPT-2 (Radford et al. 2019), as nanoGPT writes them.
namespace rwkv::gpt2 {

inline constexpr Init weight = init::normal(0.02f);

/// What a block adds to the residual stream: the more blocks add to it, the less.
inline constexpr Init residual = {"normal / sqrt(2 layers)",
                                  [](const Site& site, float deviation, std::span<float> values) {
                                    rwkv::detail::fill_normal(site, deviation / std::sqrt(2 * float(site.layers)),
                                                              values);
                                  },
                                  0.02f};

}  // namespace rwkv::gpt2
