#pragma once
#include <rwkv/core/bf16_pairs.hpp>

namespace rwkv::detail {
/// Products of 16 x 16 floats over 32 steps of k.
struct MatrixUnitSizes {
  static constexpr int rows = 16, columns = 16, steps = 32;
  /// The depth, in steps that are whole.
  static constexpr dim_t whole(dim_t depth) { return (depth + steps - 1) / steps * steps; }
};
}  // namespace rwkv::detail

#if (defined(__AMX_BF16__) || defined(__AMXBF16__)) && defined(__AVX512BF16__) && defined(__linux__) && \
    !defined(__CUDACC__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace rwkv::detail {

/// The unit of Intel's processors that multiplies matrices of bf16 (AMX): eight registers, each of 16 rows of 64 bytes.
/// C += A B of 16 x 16 floats adds 16 pairs of k at once: in order the first numbers of all pairs, and apart from them
/// the second ones, each sum rounded to nearest; then both, then C. As where single pairs are multiplied, what is
/// denormal counts as 0, and no setting of the processor changes this.
struct MatrixUnit : MatrixUnitSizes {
  static constexpr bool exists = true;

  /// Whether the system lets this process use it. Asked once; Linux wants to know, since threads then have more to
  /// keep.
  static bool available() {
    static const bool allowed = syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
    return allowed;
  }

  /// Who multiplies has one of these: the unit's registers are ready as long as it lives, and are the thread's own.
  struct Use {
    Use() { _tile_loadconfig(&whole_tile); }
    ~Use() { _tile_release(); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
  };

  /// C = A B, or C + A B, of `height` rows, from 1 to 32, and 32 columns, over `depth` steps of k, a multiple of
  /// `steps`. Rows of A lie a_row apart; B is pairs of neighbouring steps, 32 columns side by side. Numbers of C are
  /// c_row apart from one row to the next.
  static void multiply(dim_t height, dim_t depth, const bf16* a, dim_t a_row, const bf16* b, float* c, dim_t c_row,
                       bool adds) {
    asm volatile("" ::: "memory");  // g++ 12 does not know that the unit reads memory
    if (height == 2 * rows) return registers<true>(depth, a, a_row, b, c, c_row, adds);
    const Shapes lower(height);
    _tile_loadconfig(&lower);
    if (height > rows)
      registers<true>(depth, a, a_row, b, c, c_row, adds);
    else
      registers<false>(depth, a, a_row, b, c, c_row, adds);
    _tile_loadconfig(&whole_tile);
  }

 private:
  static constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA

  /// How many rows and bytes of a row every register has: 0 to 3 are of C, 4 and 5 of A, 6 and 7 of B.
  struct alignas(64) Shapes {
    std::uint8_t palette = 1, start = 0, reserved[14] = {};
    std::uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t height[16] = {};

    constexpr explicit Shapes(dim_t of_c) {
      const auto upper = static_cast<std::uint8_t>(of_c < rows ? of_c : rows),
                 lower = static_cast<std::uint8_t>(of_c > rows ? of_c - rows : rows);
      height[0] = height[1] = height[4] = upper;
      height[2] = height[3] = height[5] = lower;
      height[6] = height[7] = rows;
    }
  };
  static const Shapes whole_tile;

  template <bool both>
  static void registers(dim_t depth, const bf16* a, dim_t a_row, const bf16* b, float* c, dim_t c_row, bool adds) {
    const long from_a = a_row * long(sizeof(bf16)), from_b = 4 * columns * long(sizeof(bf16)),
               from_c = c_row * long(sizeof(float));
    const bf16* const lower_a = a + rows * a_row;
    float* const lower_c = c + rows * c_row;
    if (adds) {
      _tile_loadd(0, c, from_c);
      _tile_loadd(1, c + columns, from_c);
      if constexpr (both) {
        _tile_loadd(2, lower_c, from_c);
        _tile_loadd(3, lower_c + columns, from_c);
      }
    } else {
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
    }
    for (dim_t p = 0; p < depth; p += steps, b += 2 * columns * steps) {
      _tile_loadd(4, a + p, from_a);
      _tile_loadd(6, b, from_b);
      _tile_loadd(7, b + 2 * columns, from_b);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      if constexpr (both) {
        _tile_loadd(5, lower_a + p, from_a);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
    }
    _tile_stored(0, c, from_c);
    _tile_stored(1, c + columns, from_c);
    if constexpr (both) {
      _tile_stored(2, lower_c, from_c);
      _tile_stored(3, lower_c + columns, from_c);
    }
  }
};
inline constexpr MatrixUnit::Shapes MatrixUnit::whole_tile{2 * rows};

}  // namespace rwkv::detail
#else
namespace rwkv::detail {

/// None that this program was compiled for.
struct MatrixUnit : MatrixUnitSizes {
  static constexpr bool exists = false;
  static bool available() { return false; }
  struct Use {};
  static void multiply(auto...) {}
};

}  // namespace rwkv::detail
#endif
