#pragma once
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <type_traits>

#include <rwkv/backend/available_memory.hpp>
#include <rwkv/backend/backend.hpp>
#include <rwkv/backend/cpu/blocks/few_block_rows.hpp>
#include <rwkv/backend/cpu/blocks/many_block_rows.hpp>
#include <rwkv/backend/default_products.hpp>
#include <rwkv/backend/pool.hpp>
#include <rwkv/core/bf16.hpp>
#include <rwkv/core/size.hpp>

namespace rwkv {
namespace detail {
inline constexpr std::align_val_t line{64};
/// Where much memory lies in large pages, fewer of their addresses must be looked up, and fewer are brought in.
inline void want_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr std::size_t page = 4096, much = 1 << 23;
  if (bytes < much) return;
  auto* const begin = static_cast<std::byte*>(memory) + (page - reinterpret_cast<std::uintptr_t>(memory) % page) % page;
  madvise(begin, bytes - page, MADV_HUGEPAGE);  // what it cannot give stays as it was
#endif
}
/// Whole cache lines with room for n scalars of so many bytes. OutOfMemory says how many bytes were asked for.
[[gnu::noinline]] inline void* allocate_lines(dim_t n, std::size_t scalar) {
  const auto bytes = static_cast<std::size_t>(product(std::max<dim_t>(n, 1), static_cast<dim_t>(scalar)));
  expect_memory("Cpu::allocate", bytes);
  if (void* const memory = ::operator new(bytes, line, std::nothrow)) {
    want_large_pages(memory, bytes);
    return memory;
  }
  throw no_memory("Cpu::allocate", bytes);
}
}  // namespace detail

/// The processor: rows over threads, columns over lanes. Products says how it multiplies matrices: see TunedProducts.
template <class T, class Products>
struct CpuWith {
  using scalar = T;
  static constexpr int width = native_width<T>;

  static T* allocate(dim_t n) { return static_cast<T*>(detail::allocate_lines(n, sizeof(T))); }
  static void deallocate(T* p) { ::operator delete(p, detail::line); }
  static void fill(T* p, dim_t n, T value) {
    for_blocks(n, [&](dim_t first, dim_t end) { std::fill(p + first, p + end, value); });
  }
  static void copy(T* to, const T* from, dim_t n) {
    for_blocks(n, [&](dim_t first, dim_t end) { std::copy(from + first, from + end, to + first); });
  }
  static void upload(T* to, const T* from, dim_t n) { copy(to, from, n); }
  static void download(T* to, const T* from, dim_t n) { copy(to, from, n); }

  /// f(row, column) for every element, in any order; a column is Lanes or, at the end of a row, a plain index. Where f
  /// says its `row_length`, which then is `columns`, and that is whole Lanes, no end is compiled.
  template <class F>
  static void for_each(dim_t rows, dim_t columns, const F& f) {
    if (rows <= 0 || columns <= 0) return;
    const dim_t some = std::max<dim_t>(1, grain / columns), pieces = (columns + grain - 1) / grain;
    pool().run((rows + some - 1) / some * pieces, [&](dim_t task) {
      const dim_t first = task % pieces * grain, row = task / pieces * some;
      for (dim_t r = row, end = std::min(row + some, rows); r < end; ++r)
        across<F>(r, first, std::min(first + grain, columns), f);
    });
  }

  /// f(row) for every row, in any order: a kernel that looks at a whole row (see Row).
  template <class F>
  static void for_each_row(dim_t rows, const F& f) {
    pool().run(rows, f);
  }

  /// f(row, column, step) with the steps of a column in order: recurrences over time, in spans of tokens.
  /// A task takes a step with all columns of a tile before the next step: memory is met in long runs, page by page.
  /// `weight`: a step does that many times the work of a usual one, which decides when threads are worth waking.
  template <class F>
  static void for_each_step(dim_t rows, dim_t columns, dim_t steps, const F& f, dim_t weight = 1) {
    constexpr dim_t line = 64 / sizeof(compute_of<T>), wide = 16 * line, narrow = 2 * line;
    const dim_t some = 2 * pool().threads(), share = (rows * columns + some - 1) / some;
    const dim_t tile = std::clamp((share + narrow - 1) / narrow * narrow, narrow, wide);  // columns do not know it
    const dim_t tasks = (columns + tile - 1) / tile;
    const auto run = [&](dim_t task) {
      const dim_t row = task / tasks, first = task % tasks * tile, end = std::min(first + tile, columns);
      for (dim_t step = 0; step < steps; ++step) across<F>(row, first, end, [&](dim_t r, auto c) { f(r, c, step); });
    };
    if (rows * columns * steps * weight <= few) {
      for (dim_t task = 0; task < rows * tasks; ++task) run(task);
    } else {
      pool().run(rows * tasks, run);
    }
  }

  /// C (m, n) = op(A) (m, k) op(B) (k, n) + beta C, all row-major and dense. C is of T or of what T is computed with;
  /// B, a weight, may be stored in another length than T.
  template <class Weight, class Out>
  requires std::is_same_v<compute_of<Weight>, compute_of<T>>
  static void matmul(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const T* a, const Weight* b, Out* c,
                     compute_of<T> beta) {
    Products::matmul(of_a, of_b, m, n, k, a, b, c, beta);
  }
#ifndef __CUDACC__  // whose device pass has no lanes, and compiles this as well
  /// C (m, n) = A (m, k) B^T + beta C by a weight B (n, k) in blocks, where that is faster than by its numbers, as it
  /// is for few rows; else false.
  template <class Weight>
  requires(is_block<Weight>&& std::is_same_v<compute_of<T>, float>) static bool block_matmul(dim_t m, dim_t n, dim_t k,
                                                                                             const T* a,
                                                                                             const Weight* b, T* c,
                                                                                             float beta) {
    using Few = detail::FewBlockRows<T, Weight, T>;
    using Many = detail::ManyBlockRows<T, Weight>;
    if (k <= 0) return false;
    if (m <= Few::most) return Few{n, k, a, b, c, beta}.run(m), true;
    if constexpr (Many::exists) return Many{n, k, a, b, c, beta}.run(m), true;
    return false;
  }
#endif
  /// The same of `count` matrices each, all of T but C.
  template <class Out>
  static void batched_matmul(dim_t count, Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, Matrices<const T> a,
                             Matrices<const T> b, Matrices<Out> c, compute_of<T> beta) {
    Products::batched_matmul(count, of_a, of_b, m, n, k, a, b, c, beta);
  }

 private:
  static constexpr dim_t grain = 4096;  // elements per task; fixed, so that tasks do not know the threads
  static constexpr dim_t few = 1024;    // so little work costs less than waking a thread

  template <class F>
  static void for_blocks(dim_t n, const F& f) {
    constexpr dim_t block = 1 << 16;
    pool().run((n + block - 1) / block, [&](dim_t i) { f(i * block, std::min((i + 1) * block, n)); });
  }
  template <class Kernel, class F>
  static void across(dim_t row, dim_t first, dim_t end, const F& f) {
    const dim_t tail = first + (end - first) / width * width;
    for (dim_t c = first; c < tail; c += width) f(row, Lanes<width>{c});
    if constexpr (!in_whole_lanes<Kernel>())
      for (dim_t c = tail; c < end; ++c) f(row, c);
  }
  template <class Kernel>
  static constexpr bool in_whole_lanes() {
    if constexpr (requires { Kernel::row_length; })
      return Kernel::row_length % width == 0;
    else
      return false;
  }
};

/// The processor, with the products that are best on it. T is float, double or bf16.
template <class T>
struct Cpu : CpuWith<T, DefaultProducts> {};

}  // namespace rwkv
