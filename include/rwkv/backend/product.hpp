#pragma once
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include <rwkv/backend/backend.hpp>
#include <rwkv/backend/gemv.hpp>
#include <rwkv/backend/pool.hpp>
#include <rwkv/core/lanes.hpp>

namespace rwkv {
namespace detail {

/// Memory that a thread keeps from call to call.
template <class T>
class Scratch {
 public:
  T* at_least(dim_t n) {
    if (n > size_) data_.reset(static_cast<T*>(::operator new(sizeof(T) * (size_ = n), line)));
    return data_.get();
  }

 private:
  static constexpr std::align_val_t line{64};
  struct Free {
    void operator()(T* p) const { ::operator delete(p, line); }
  };
  std::unique_ptr<T, Free> data_;
  dim_t size_ = 0;
};

/// C (m, n) = op(A) (m, k) op(B) (k, n) + beta C in tiles that stay in registers for a whole block of k.
///
/// op(B) is packed into panels of `wide` columns, contiguous along k, so that a tile reads it in packs from L1. op(A) is
/// read one number at a time: in place where its rows are contiguous, otherwise from panels of `tall` rows.
/// The order in which an element is summed depends on k alone; threads share the tiles equally.
template <class T>
struct Product {
  static constexpr int W = native_width<T>, packs = 2, wide = packs * W;
  static constexpr int tall = sizeof(T) * W == 64 ? 8 : 6;  // sums and operands fill the registers
  static constexpr dim_t deep = 384;                        // a panel of B and a tile's rows of A: L1
  static constexpr dim_t strip = 40;                        // tiles below each other, their rows of A: L2
  static constexpr dim_t budget = (8 << 20) / sizeof(T);    // packed numbers of an operand: L3

  Op of_a, of_b;
  dim_t m, n, k;
  const T *a, *b;
  T* c;
  T beta;
  dim_t blocks = (k + deep - 1) / deep, depth = (k + blocks - 1) / blocks;  // of k; the last block may be shallower

  void run() const {
    const dim_t most = std::max<dim_t>(budget / depth, wide) / wide * wide;
    const dim_t columns = std::min(n, most), rows = of_a == Op::none ? m : std::min(m, most);
    const dim_t some = std::max<dim_t>(1, budget / depth / (std::max(columns, of_a == Op::none ? 0 : rows) + wide));
    static thread_local Scratch<T> b_scratch, a_scratch;
    for (dim_t p = 0; p < blocks; p += some)
      for (dim_t j = 0; j < n; j += columns)
        for (dim_t i = 0; i < m; i += rows) {
          Part part{*this, i, std::min(rows, m - i), j, std::min(columns, n - j), p, std::min(some, blocks - p)};
          part.b_panels = b_scratch.at_least(part.count * part.panels * wide * depth);
          if (of_a != Op::none) part.a_panels = a_scratch.at_least(part.count * part.tiles * tall * depth);
          part.pack(i == 0);
          part.multiply();
        }
  }

 private:
  using L = Pack<T, W>;

  /// The rows from i and columns from j on of C, summed over `count` blocks of k from the first on.
  struct Part {
    const Product& all;
    dim_t i, rows, j, columns, first, count;
    dim_t panels = (columns + wide - 1) / wide, tiles = (rows + tall - 1) / tall;
    T *b_panels = nullptr, *a_panels = nullptr;

    dim_t depth_of(dim_t block) const { return std::min(all.depth, all.k - (first + block) * all.depth); }
    dim_t row(dim_t x) const { return rows * x / tiles; }  // where tile x begins: as even as can be
    T* b_panel(dim_t block, dim_t y) const { return b_panels + (block * panels + y) * wide * all.depth; }
    T* a_panel(dim_t block, dim_t x) const { return a_panels + (block * tiles + x) * tall * all.depth; }

    void pack(bool b_too) const {
      const dim_t b_units = b_too ? count * panels : 0, a_units = a_panels ? count * tiles : 0;
      all.spread(b_units + a_units, [&](dim_t u) {
        if (u < b_units) {
          const dim_t block = u / panels, p = (first + block) * all.depth, y = u % panels, at = j + y * wide;
          if (all.of_b == Op::none) copy<wide>(all.b + p * all.n + at, all.n, all.n - at, depth_of(block), b_panel(block, y));
          else transpose(all.b + at * all.k + p, all.k, all.n - at, depth_of(block), b_panel(block, y));
        } else {
          const dim_t block = (u - b_units) / tiles, p = (first + block) * all.depth, x = (u - b_units) % tiles, at = i + row(x);
          copy<tall>(all.a + p * all.m + at, all.m, all.m - at, depth_of(block), a_panel(block, x));
        }
      });
    }

    void multiply() const {
      const dim_t units = tiles * panels, shares = pool().threads();
      all.spread(shares, [&](dim_t share) {
        for (dim_t block = 0; block < count; ++block)
          for (dim_t u = units * share / shares, end = units * (share + 1) / shares; u < end;) {
            const dim_t top = u / (strip * panels) * strip, height = std::min(strip, tiles - top);
            const dim_t y = (u - top * panels) / height;
            for (dim_t x = top + (u - top * panels) % height; x < top + height && u < end; ++x, ++u) tile(block, x, y);
          }
      });
    }

    void tile(dim_t block, dim_t x, dim_t y) const {
      const dim_t at = i + row(x), p = (first + block) * all.depth, left = columns - y * wide;
      const int height = static_cast<int>(row(x + 1) - row(x));
      const T keep = first + block == 0 ? all.beta : T(1);
      const T* from = a_panels ? a_panel(block, x) : all.a + at * all.k + p;
      const dim_t a_row = a_panels ? 1 : all.k, a_column = a_panels ? tall : 1;
      T* to = all.c + at * all.n + j + y * wide;
      if (left >= wide) {
        registers<tall>(height, depth_of(block), from, a_row, a_column, b_panel(block, y), to, all.n, keep);
      } else {
        alignas(64) T whole[tall * wide];
        registers<tall>(height, depth_of(block), from, a_row, a_column, b_panel(block, y), whole, wide, T(0));
        for (int r = 0; r < height; ++r)
          for (dim_t s = 0; s < left; ++s) {
            T& out = to[r * all.n + s];
            out = keep == T(0) ? whole[r * wide + s] : keep * out + whole[r * wide + s];
          }
      }
    }
  };

  /// f(0) ... f(tasks - 1) over the threads, where that is worth waking them.
  template <class F>
  void spread(dim_t tasks, const F& f) const {
    if (m * n * k > 1 << 15) return pool().run(tasks, f);
    for (dim_t task = 0; task < tasks; ++task) f(task);
  }

  /// A panel of N lines that already lie side by side; lines that are not there become zeros.
  template <int N>
  static void copy(const T* from, dim_t row, dim_t lines, dim_t depth, T* to) {
    for (dim_t p = 0; p < depth; ++p, from += row, to += N) {
      if (lines >= N) {
        std::memcpy(to, from, N * sizeof(T));
      } else {
        std::fill(std::copy_n(from, lines, to), to + N, T(0));
      }
    }
  }

  /// A panel of lines that lie one after the other, W by W; lines that are not there become zeros.
  [[gnu::noinline]] static void transpose(const T* from, dim_t row, dim_t lines, dim_t depth, T* to) {
    if (lines < wide) std::fill_n(to, wide * depth, T(0));
    for (int q = 0; q < std::min<dim_t>(lines, wide); q += W) {
      const dim_t whole = lines - q < W ? 0 : depth / W * W;
      for (dim_t p = 0; p < whole; p += W) {
        L block[W];
#pragma GCC unroll 16
        for (int r = 0; r < W; ++r) block[r] = load(from + (q + r) * row, Lanes<W>{p});
        swap_halves<W / 2>(block);
#pragma GCC unroll 16
        for (int r = 0; r < W; ++r) store(to + (p + r) * wide, Lanes<W>{q}, block[r]);
      }
      for (int r = 0; r < std::min<dim_t>(lines - q, W); ++r)
        for (dim_t p = whole; p < depth; ++p) to[p * wide + q + r] = from[(q + r) * row + p];
    }
  }
  /// Transposes a block of W x W by exchanging its off-diagonal quarters, then theirs.
  template <int half>
  static void swap_halves(L (&block)[W]) {
#pragma GCC unroll 16
    for (int r = 0; r < W; ++r)
      if (!(r & half)) swap_lanes<half>(block[r], block[r + half], std::make_integer_sequence<int, W>{});
    if constexpr (half > 1) swap_halves<half / 2>(block);
  }
  template <int half, int... l>
  static void swap_lanes(L& x, L& y, std::integer_sequence<int, l...>) {
    const L upper = __builtin_shufflevector(x, y, (l & half ? W + l - half : l)...);
    y = __builtin_shufflevector(x, y, (l & half ? W + l : l + half)...);
    x = upper;
  }

  /// One tile: C = A B + beta C for `rows` rows, a wide of columns and `depth` steps of k.
  template <int rows>
  static void registers(int height, dim_t depth, const T* a, dim_t a_row, dim_t a_column, const T* b, T* c, dim_t c_row,
                        T beta) {
    if (height == rows) return sum<rows>(depth, a, a_row, a_column, b, c, c_row, beta);
    if constexpr (rows > 1) registers<rows - 1>(height, depth, a, a_row, a_column, b, c, c_row, beta);
  }
  template <int rows>
  [[gnu::noinline]] static void sum(dim_t depth, const T* a, dim_t a_row, dim_t a_column, const T* b, T* c, dim_t c_row,
                                    T beta) {
    const T* line[rows];
    L total[rows][packs]{};
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      line[r] = a + r * a_row;
      __builtin_prefetch(c + r * c_row);
      __builtin_prefetch(c + r * c_row + wide - 1);
    }
    for (dim_t p = 0, at = 0; p < depth; ++p, at += a_column, b += wide) {
      L b_p[packs];
#pragma GCC unroll 4
      for (int s = 0; s < packs; ++s) b_p[s] = load(b, Lanes<W>{s * W});
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const L a_p = broadcast<L>(line[r][at]);
#pragma GCC unroll 4
        for (int s = 0; s < packs; ++s) total[r][s] += a_p * b_p[s];
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < packs; ++s) {
        const Lanes<W> at{r * c_row + s * W};
        store(c, at, beta == T(0) ? total[r][s] : load(c, at) * beta + total[r][s]);
      }
  }
};

}  // namespace detail

/// C (m, n) = op(A) (m, k) op(B) (k, n) + beta C, all row-major and dense, on the threads of pool(). With beta 0, C is not
/// read. The bits of C do not depend on the number of threads.
template <class T>
void product(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const T* a, const T* b, T* c, T beta) {
  if (m <= 0 || n <= 0) return;
  const bool a_in_rows = of_a == Op::none || m == 1, b_in_columns = of_b == Op::transpose || n == 1;
  if (k <= 0) {
    for (dim_t i = 0; i < m * n; ++i) c[i] = beta == T(0) ? T(0) : beta * c[i];
  } else if (a_in_rows && b_in_columns && m <= detail::FewRows<T>::most) {
    detail::FewRows<T>{n, k, a, b, c, beta}.run(m);
  } else if (a_in_rows && b_in_columns && n == 1) {
    detail::FewRows<T>{m, k, b, a, c, beta}.run(1);
  } else {
    detail::Product<T>{of_a, of_b, m, n, k, a, b, c, beta}.run();
  }
}

}  // namespace rwkv
