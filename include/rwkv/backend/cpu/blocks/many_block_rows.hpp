#pragma once
#include <type_traits>

#include <rwkv/backend/cpu/blocks/block_panel.hpp>
#include <rwkv/backend/cpu/blocks/byte_rows.hpp>
#include <rwkv/backend/cpu/store_sums.hpp>

namespace rwkv::detail {

/// Y (m, n) = X (m, k) W^T + beta Y for many rows of X, W (n, k) being in blocks along k: reading a prompt, on
/// processors that multiply bytes faster than floats, see by_byte_pairs. Activations are made shorts first, as where
/// rows are few. 32 rows of W at a time become two panels, which all rows of X meet, four at a time; the bits of a
/// result depend on k alone. Rows of bf16 are multiplied by their own unit, which is faster.
#if defined(__AVX512VNNI__) && !defined(__CUDACC__)
template <class In, class Stored>
struct ManyBlockRows {
  static constexpr bool exists = by_byte_pairs<Stored> && std::is_same_v<In, float>;

  dim_t n, k;
  const float* x;
  const Stored* weight;
  float* y;
  float beta;
  dim_t blocks = k / Stored::numbers, pairs = (blocks + 1) / 2;

  void run(dim_t m) const {
    for (dim_t first = 0; first < m; first += high) strip(first, std::min(high, m - first));
  }

 private:
  using Panel = BlockPanel<Stored>;
  struct Panels {
    Panel panel[2];
  };
  using Floats = typename Panel::Floats;
  static constexpr dim_t tall = 4, wide = 2 * Panel::rows, high = 1024;

  void strip(dim_t first, dim_t rows) const {
    const ByteBlock* const bytes = byte_rows(rows, k, x + first * k);
    parallel_if(rows * n * k >= 1 << 17, (n + wide - 1) / wide, [&](dim_t task) {
      static thread_local ThreadBuffer<Panels> buffer;
      Panels* const panels = buffer.at_least(pairs);
      pack(task * wide, panels);
      for (dim_t i = 0; i < rows; i += tall)
        pick<tall>(std::min(tall, rows - i), bytes + 2 * i * pairs, panels, first + i, task * wide);
    });
  }
  void pack(dim_t j, Panels* panels) const {
    for (dim_t p = 0; p < pairs; ++p)
      for (dim_t half = 0; half < 2; ++half) {
        const dim_t first = std::min(j + half * Panel::rows, n - 1);
        panels[p].panel[half].pack(weight + first * blocks + 2 * p, blocks, std::min<dim_t>(Panel::rows, n - first),
                                   2 * p + 1 < blocks);
      }
  }
  template <int rows>
  void pick(dim_t count, const ByteBlock* bytes, const Panels* panels, dim_t i, dim_t j) const {
    if (count == rows) return tile<rows>(bytes, panels, i, j);
    if constexpr (rows > 1) pick<rows - 1>(count, bytes, panels, i, j);
  }
  /// Rows i ... and columns j ... of Y.
  template <int rows>
  [[gnu::noinline]] void tile(const ByteBlock* bytes, const Panels* panels, dim_t i, dim_t j) const {
    Floats sums[rows][2]{};
    for (dim_t p = 0; p < pairs; ++p)
      for (int half = 0; half < 2; ++half) add(bytes + 2 * p + half, panels[p], half, sums);
    for (int r = 0; r < rows; ++r) {
      float whole[wide];
      std::memcpy(whole, sums[r], sizeof whole);
      store_sums(1, std::min(wide, n - j), whole, y + (i + r) * n + j, n, beta);
    }
  }
  template <int rows>
  [[gnu::always_inline]] void add(const ByteBlock* first, const Panels& w, int half, Floats (&sums)[rows][2]) const {
    const auto x = [&](int r) -> const ByteBlock& { return first[2 * r * pairs]; };
    FoursOfBytes upper[rows][2]{}, lower[rows][2];
    for (int r = 0; r < rows; ++r) lower[r][0] = lower[r][1] = -byte_offset<Stored> * x(r).sum - FoursOfBytes{};
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j)
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) {
        const FoursOfBytes high = four(x(r).high + 4 * j), low = four(x(r).low + 4 * j);
#pragma GCC unroll 2
        for (int g = 0; g < 2; ++g) {
          upper[r][g] = sum_fours(upper[r][g], w.panel[g].q[8 * half + j], high);
          lower[r][g] = sum_fours(lower[r][g], w.panel[g].q[8 * half + j], low);
        }
      }
    for (int r = 0; r < rows; ++r)
      for (int g = 0; g < 2; ++g) {
        sums[r][g] += convert<float>((upper[r][g] << 8) + lower[r][g]) * (w.panel[g].scales[half] * x(r).scale);
        if constexpr (Stored::has_minimum) sums[r][g] += w.panel[g].minimums[half] * x(r).total;
      }
  }
  static FoursOfBytes four(const std::int8_t* at) {
    std::int32_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    return bytes - FoursOfBytes{};
  }
};
#else
template <class In, class Stored>
struct ManyBlockRows {
  static constexpr bool exists = false;
};
#endif

}  // namespace rwkv::detail
