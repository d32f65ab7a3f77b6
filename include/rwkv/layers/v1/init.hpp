#pragma once
#include <cmath>

#include <rwkv/layers/init.hpp>

// Initial values of RWKV-1: those of PyTorch's layers, and the notebook's own.
namespace rwkv::v1 {

/// nn.Linear: uniform up to 1 / sqrt(inputs). A bias does not know the inputs, so its gain does.
inline constexpr Init linear_weight = {"uniform by inputs",
                                       [](const Site& site, float gain, std::span<float> values) {
                                         rwkv::detail::fill_uniform(site, gain / std::sqrt(float(site.columns)),
                                                                    values);
                                       },
                                       1};
inline void fill_bias(const Site& site, float inputs, std::span<float> values) {
  rwkv::detail::fill_uniform(site, 1 / std::sqrt(inputs), values);
}
template <dim_t Inputs>
struct LinearBias {
  static constexpr Init init = {"uniform by inputs", fill_bias, float(Inputs)};
};

inline constexpr Init embedding = init::normal(1);

/// exp(-distance T^(-(h + 1) / (H - 1))) for head h of H and a window of T tokens; the last head forgets nothing.
inline constexpr Init time_w = {"decay by head",
                                [](const Site& site, float, std::span<float> values) {
                                  for (dim_t h = 0; h < site.rows; ++h) {
                                    const double part = double(h + 1) / double(site.rows - 1);
                                    const double speed = h + 1 < site.rows ? std::pow(double(site.columns), -part) : 0;
                                    for (dim_t i = 0; i < site.columns; ++i)
                                      values[static_cast<std::size_t>(h * site.columns + i)] =
                                          float(std::exp(-double(site.columns - 1 - i) * speed));
                                  }
                                },
                                1};

}  // namespace rwkv::v1
