#pragma once
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <rwkv/backend/backend.hpp>
#include <rwkv/backend/few_rows.hpp>
#include <rwkv/backend/pool.hpp>
#include <rwkv/core/lanes.hpp>

namespace rwkv {
namespace detail {

/// Memory that a thread keeps from call to call.
template <class T>
class ThreadBuffer {
 public:
  T* at_least(dim_t n) {
    if (n > size_) data_.reset(static_cast<T*>(::operator new(sizeof(T) * n, line))), size_ = n;
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
/// op(B) is packed into panels of `wide` columns, op(A) into panels of `tall` rows unless it can be read in place, so
/// that what one step of k needs lies side by side. A panel of B stays in L1 while the tiles of a strip pass by, and
/// their rows of A stay in L2 for the next panel. The order in which an element is summed depends on k alone. What is
/// packed is widened to what In is computed with, so that rows of A are read in place only where they are that already.
template <class In>
struct Product {
  using T = compute_of<In>;
  static constexpr bool widens = !std::is_same_v<In, T>;
  static constexpr int W = native_width<T>, packs = 2, wide = packs * W;
  static constexpr int tall = sizeof(T) * W == 64 ? 8 : 6;  // sums and operands fill the registers of AVX2
  static constexpr dim_t deep = 384;                        // of k: a panel of B and a tile's rows of A fit L1
  static constexpr dim_t high = 24;                         // tiles in a strip
  static constexpr dim_t keep = (8 << 20) / sizeof(T);      // numbers of an operand packed at a time: L3

  Op of_a, of_b;
  dim_t m, n, k;
  const In *a, *b;
  T* c;
  T beta;
  dim_t blocks = (k + deep - 1) / deep, depth = (k + blocks - 1) / blocks;  // of k; the last block may be shallower

  void run() const {
    static thread_local ThreadBuffer<T> for_a, for_b;
    const bool pack_a = widens || of_a == Op::transpose;
    const dim_t fit = std::max<dim_t>(keep / depth / wide, 1) * wide;
    const dim_t rows = pack_a ? std::min(m, fit) : m, columns = std::min(n, fit);
    const dim_t some = std::max<dim_t>(keep / (std::max(pack_a ? rows : 0, columns) * depth), 1);
    for (dim_t first = 0; first < blocks; first += some)
      for (dim_t j = 0; j < n; j += columns)
        for (dim_t i = 0; i < m; i += rows) {
          Part part{
              *this, i, std::min(rows, m - i), j, std::min(columns, n - j), first, std::min(some, blocks - first)};
          if (pack_a) part.a_panels = for_a.at_least(part.count * part.tiles * tall * depth);
          if (part.strips > 1) part.b_panels = for_b.at_least(part.count * part.panels * wide * depth);
          part.pack(i == 0);
          part.multiply();
        }
  }

 private:
  using L = Pack<T, W>;
  template <int N>
  static constexpr dim_t group = 256 / sizeof(T) / N;  // panels packed together, so that rows are read in runs of lines

  /// Rows i ... and columns j ... of C, summed over `count` blocks of k from the first on.
  struct Part {
    const Product& all;
    dim_t i, rows, j, columns, first, count;
    dim_t tiles = (rows + tall - 1) / tall, panels = (columns + wide - 1) / wide;
    dim_t strips = (tiles + high - 1) / high, strip = (tiles + strips - 1) / strips;
    T* a_panels = nullptr;  // null: A is read in place
    T* b_panels = nullptr;  // null: a single strip, whose thread packs each panel where it needs it

    dim_t depth_of(dim_t block) const { return std::min(all.depth, all.k - (first + block) * all.depth); }
    T* a_panel(dim_t block, dim_t x) const { return a_panels + (block * tiles + x) * tall * all.depth; }
    T* b_panel(dim_t block, dim_t y) const { return b_panels + (block * panels + y) * wide * all.depth; }

    /// Packs what several strips or threads will read. The panels of B are still there when only the rows move on.
    void pack(bool b_too) const {
      const dim_t b_groups = b_panels && b_too ? (panels + group<wide> - 1) / group<wide> : 0;
      const dim_t a_groups = a_panels ? (tiles + group<tall> - 1) / group<tall> : 0;
      const dim_t numbers = count * all.depth * ((b_groups ? columns : 0) + (a_groups ? rows : 0));
      parallel_if(numbers > 1 << 13, count * (b_groups + a_groups), [&](dim_t task) {
        const dim_t block = task / (b_groups + a_groups), one = task % (b_groups + a_groups);
        const dim_t y = one * group<wide>, x = (one - b_groups) * group<tall>;
        if (one < b_groups)
          pack_b(block, y, group<wide>, b_panel(block, y));
        else
          pack_a(block, x, group<tall>, a_panel(block, x));
      });
    }
    void pack_a(dim_t block, dim_t x, dim_t some, T* to) const {
      if (all.of_a == Op::none) return widen_rows(block, x, some, to);
      const In* from = all.a + (first + block) * all.depth * all.m + i + x * tall;
      copy<tall>(from, all.m, std::min(some * tall, rows - x * tall), depth_of(block), to, tall * all.depth);
    }
    /// Rows one after the other, as they lie in A.
    void widen_rows(dim_t block, dim_t x, dim_t some, T* to) const {
      const dim_t first_row = x * tall, end = std::min(first_row + some * tall, rows);
      for (dim_t r = first_row; r < end; ++r, to += all.depth)
        widen(all.a + (i + r) * all.k + (first + block) * all.depth, depth_of(block), to);
    }
    void pack_b(dim_t block, dim_t y, dim_t some, T* to) const {
      const dim_t p = (first + block) * all.depth, at = j + y * wide, lines = std::min(some * wide, columns - y * wide);
      if (all.of_b == Op::none) {
        copy<wide>(all.b + p * all.n + at, all.n, lines, depth_of(block), to, wide * all.depth);
      } else {
        for (dim_t q = 0; q < lines; q += wide)
          transpose(all.b + (at + q) * all.k + p, all.k, lines - q, depth_of(block), to + q * all.depth);
      }
    }

    /// Tiles are counted down a strip, then panel by panel, then strip by strip; every thread takes an equal run.
    void multiply() const {
      const dim_t shares = pool().threads(), total = tiles * panels;
      parallel_if(all.m * all.n * all.k > 1 << 17, shares, [&](dim_t share) {
        static thread_local ThreadBuffer<T> scratch;
        T* const own = b_panels ? nullptr : scratch.at_least(group<wide> * wide * all.depth);
        const dim_t begin = total * share / shares, end = total * (share + 1) / shares;
        for (dim_t block = 0; block < count; ++block)
          for (dim_t u = begin, ready = 0, since = 0; u < end;) {
            const dim_t top = u / (strip * panels) * strip, height = std::min(strip, tiles - top), v = u - top * panels;
            const dim_t y = v / height, bottom = top + height;
            if (own && y >= ready) {
              since = y;
              ready = std::min(y + group<wide>, (end - 1) / tiles + 1);
              pack_b(block, y, ready - y, own);
            }
            const T* panel = own ? own + (y - since) * wide * all.depth : b_panel(block, y);
            for (dim_t x = top + v % height; x < bottom && u < end; ++x, ++u) tile(block, x, y, panel);
          }
      });
    }

    const T* in_place(dim_t block, dim_t x) const {
      if constexpr (widens)
        return nullptr;
      else
        return all.a + (i + x * tall) * all.k + (first + block) * all.depth;
    }
    void tile(dim_t block, dim_t x, dim_t y, const T* panel) const {
      const dim_t height = std::min<dim_t>(tall, rows - x * tall), width = std::min<dim_t>(wide, columns - y * wide);
      const T* from = a_panels ? a_panel(block, x) : in_place(block, x);
      const dim_t a_row = all.of_a == Op::transpose ? 1
                          : a_panels                ? all.depth
                                                    : all.k,
                  a_step = all.of_a == Op::transpose ? tall : 1;
      const T old = first + block == 0 ? all.beta : T(1);
      T* to = all.c + (i + x * tall) * all.n + j + y * wide;
      if (width == wide) return sum<tall>(height, depth_of(block), from, a_row, a_step, panel, to, all.n, old);
      alignas(64) T whole[tall * wide];
      sum<tall>(height, depth_of(block), from, a_row, a_step, panel, whole, wide, T(0));
      for (dim_t r = 0; r < height; ++r)
        for (dim_t s = 0; s < width; ++s) {
          T& out = to[r * all.n + s];
          out = old == T(0) ? whole[r * wide + s] : old * out + whole[r * wide + s];
        }
    }
  };

  /// f(0) ... f(tasks - 1), on the threads if that is worth waking them.
  template <class F>
  static void parallel_if(bool worth, dim_t tasks, const F& f) {
    if (worth) return pool().run(tasks, f);
    for (dim_t task = 0; task < tasks; ++task) f(task);
  }

  /// to[i] = from[i]
  [[gnu::always_inline]] static void widen(const In* from, dim_t n, T* to) {
    if constexpr (widens) {
      dim_t i = 0;
      for (; i + W <= n; i += W) store(to, Lanes<W>{i}, load(from, Lanes<W>{i}));
      for (; i < n; ++i) to[i] = from[i];
    } else {
      std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
    }
  }

  /// Packs lines that lie side by side, N to a panel; lines that are missing from the last one become zeros.
  template <int N>
  [[gnu::noinline]] static void copy(const In* from, dim_t row, dim_t lines, dim_t depth, T* to, dim_t panel) {
    constexpr dim_t ahead = 16, line = 64 / sizeof(In);  // rows lie further apart than a prefetcher looks
    const dim_t whole = lines / N * N;
    for (dim_t p = 0; p < depth; ++p, from += row, to += N) {
      for (dim_t q = 0; q < lines && p + ahead < depth; q += line) __builtin_prefetch(from + ahead * row + q);
      T* out = to;
      for (dim_t q = 0; q < whole; q += N, out += panel) widen(from + q, N, out);
      if (whole < lines) std::fill(std::copy(from + whole, from + lines, out), out + N, T(0));
    }
  }

  /// Packs one panel of lines that are rows, W by W; lines that are missing become zeros.
  [[gnu::noinline]] static void transpose(const In* from, dim_t row, dim_t lines, dim_t depth, T* to) {
    lines = std::min<dim_t>(lines, wide);
    if (lines < wide) std::fill_n(to, wide * depth, T(0));
    for (dim_t q = 0; q < lines; q += W) {
      const dim_t whole = lines - q < W ? 0 : depth / W * W;
      for (dim_t p = 0; p < whole; p += W) {
        L block[W];
#pragma GCC unroll 16
        for (int r = 0; r < W; ++r) block[r] = load(from + (q + r) * row, Lanes<W>{p});
        swap_quarters<W / 2>(block);
#pragma GCC unroll 16
        for (int r = 0; r < W; ++r) store(to + (p + r) * wide, Lanes<W>{q}, block[r]);
      }
      for (dim_t r = q; r < std::min(q + W, lines); ++r)
        for (dim_t p = whole; p < depth; ++p) to[p * wide + r] = from[r * row + p];
    }
  }
  /// Transposes W x W numbers: exchanges the two quarters off the diagonal, then those of every quarter, down to
  /// numbers.
  template <int half>
  static void swap_quarters(L (&block)[W]) {
#pragma GCC unroll 16
    for (int r = 0; r < W; ++r)
      if (!(r & half)) swap_lanes<half>(block[r], block[r + half], std::make_integer_sequence<int, W>{});
    if constexpr (half > 1) swap_quarters<half / 2>(block);
  }
  template <int half, int... l>
  static void swap_lanes(L& x, L& y, std::integer_sequence<int, l...>) {
    const L upper = shuffle<(l & half ? W + l - half : l)...>(x, y);
    y = shuffle<(l & half ? W + l : l + half)...>(x, y);
    x = upper;
  }

  /// The tile of `height` rows, by the kernel of that height.
  template <int rows>
  static void sum(dim_t height, dim_t depth, const T* a, dim_t a_row, dim_t a_step, const T* b, T* c, dim_t c_row,
                  T old) {
    if (height == rows) return registers<rows>(depth, a, a_row, a_step, b, c, c_row, old);
    if constexpr (rows > 1) sum<rows - 1>(height, depth, a, a_row, a_step, b, c, c_row, old);
  }
  /// C = A B + old C for rows x wide elements of C and `depth` steps of k.
  template <int rows>
  [[gnu::noinline]] static void registers(dim_t depth, const T* a, dim_t a_row, dim_t a_step, const T* b, T* c,
                                          dim_t c_row, T old) {
    L total[rows][packs]{};
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      __builtin_prefetch(c + r * c_row);
      __builtin_prefetch(c + r * c_row + wide - 1);
    }
    for (dim_t p = 0; p < depth; ++p, a += a_step, b += wide) {
      L b_p[packs];
#pragma GCC unroll 4
      for (int s = 0; s < packs; ++s) b_p[s] = load(b, Lanes<W>{s * W});
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const L a_p = broadcast<L>(a[r * a_row]);
#pragma GCC unroll 4
        for (int s = 0; s < packs; ++s) total[r][s] += a_p * b_p[s];
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < packs; ++s) {
        const Lanes<W> at{r * c_row + s * W};
        store(c, at, old == T(0) ? total[r][s] : load(c, at) * old + total[r][s]);
      }
  }
};

}  // namespace detail

/// C (m, n) = op(A) (m, k) op(B) (k, n) + beta C, all row-major and dense, on the threads of pool(). With beta 0, C is
/// not read. The bits of C do not depend on the number of threads. Sums are in what In is computed with; C may be of
/// that, or of In, to which a sum is rounded once.
template <class In, class Out>
void product(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const In* a, const In* b, Out* c, compute_of<In> beta) {
  using T = compute_of<In>;
  static_assert(std::is_same_v<Out, T> || std::is_same_v<Out, In>);
  if (m <= 0 || n <= 0) return;
  const bool rows_of_a = of_a == Op::none || m == 1, columns_of_b = of_b == Op::transpose || n == 1;
  if (k <= 0) {
    for (dim_t i = 0; i < m * n; ++i) store(c, i, beta == T(0) ? T(0) : beta * load(c, i));
  } else if (rows_of_a && columns_of_b && m <= detail::FewRows<In, Out>::most) {
    detail::FewRows<In, Out>{n, k, a, b, c, beta}.run(m);
  } else if (rows_of_a && columns_of_b && n == 1) {
    detail::FewRows<In, Out>{m, k, b, a, c, beta}.run(1);
  } else if constexpr (std::is_same_v<Out, T>) {
    detail::Product<In>{of_a, of_b, m, n, k, a, b, c, beta}.run();
  } else {
    static thread_local detail::ThreadBuffer<T> scratch;
    T* const sums = scratch.at_least(m * n);
    detail::Product<In>{of_a, of_b, m, n, k, a, b, sums, T(0)}.run();
    constexpr dim_t some = 4096;
    pool().run((m * n + some - 1) / some, [&](dim_t task) {
      for (dim_t i = task * some, end = std::min(i + some, m * n); i < end; ++i)
        store(c, i, beta == T(0) ? sums[i] : beta * load(c, i) + sums[i]);
    });
  }
}

}  // namespace rwkv
