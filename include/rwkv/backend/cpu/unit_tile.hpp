#pragma once
#include <algorithm>
#include <type_traits>

#include <rwkv/backend/cpu/matrix_unit.hpp>
#include <rwkv/backend/cpu/register_tile.hpp>
#include <rwkv/backend/cpu/unit_packing.hpp>

namespace rwkv::detail {

/// What RegisterTile is, by the unit for matrices of bf16: of 32 x 32, in steps that are whole.
struct UnitTile {
  using T = float;
  using Number = bf16;
  static constexpr int wide = 32, tall = 32;
  static constexpr dim_t steps = MatrixUnit::steps, deep = 384;
  static constexpr bool whole_steps = true, reads_across = false;
  using Use = MatrixUnit::Use;
  template <class Stored>
  using Packed = UnitPacking<typename Factors<Stored, Stored>::template Packed<Stored>>;

  /// Whether it multiplies what is stored as Left by what is stored as Right.
  template <class Left, class Right>
  static constexpr bool multiplies = MatrixUnit::exists&& std::is_same_v<Left, bf16>&& std::is_same_v<Right, bf16>;
  static bool takes(dim_t k) { return k > steps / 2 && MatrixUnit::available(); }

  dim_t depth;
  const bf16* a;
  dim_t a_row, a_step;
  const bf16* b;
  dim_t b_step;

  template <class Out>
  void sum(dim_t height, dim_t width, Out* c, dim_t c_row, float old, const float* before = nullptr,
           dim_t before_row = 0) const {
    if constexpr (std::is_same_v<Out, float>)
      if (old == 0 || old == 1) return add_to(height, width, c, c_row, old == 1);
    alignas(64) float whole[tall * wide];
    MatrixUnit::multiply(height, MatrixUnit::whole(depth), a, a_row, b, whole, wide, false);
    put_sums<Factors<bf16, bf16>>(height, width, whole, wide, c, c_row, old, before, before_row);
  }

 private:
  /// In the same order at an edge, whose columns go through a whole tile.
  void add_to(dim_t height, dim_t width, float* c, dim_t c_row, bool adds) const {
    if (width == wide) return MatrixUnit::multiply(height, MatrixUnit::whole(depth), a, a_row, b, c, c_row, adds);
    alignas(64) float whole[tall * wide]{};
    if (adds)
      for (dim_t r = 0; r < height; ++r) std::copy_n(c + r * c_row, width, whole + r * wide);
    MatrixUnit::multiply(height, MatrixUnit::whole(depth), a, a_row, b, whole, wide, adds);
    for (dim_t r = 0; r < height; ++r) std::copy_n(whole + r * wide, width, c + r * c_row);
  }
};

}  // namespace rwkv::detail
