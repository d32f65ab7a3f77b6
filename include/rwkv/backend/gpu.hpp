#pragma once
#if !defined(THRUST_DEVICE_SYSTEM) && !defined(__CUDACC__)
#define THRUST_DEVICE_SYSTEM THRUST_DEVICE_SYSTEM_CPP  // a plain compiler, and nothing was said: the processor
#endif
#include <thrust/copy.h>
#include <thrust/device_free.h>
#include <thrust/device_malloc.h>
#include <thrust/device_ptr.h>
#include <thrust/fill.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>

#include <new>

#include <rwkv/backend/backend.hpp>
#include <rwkv/backend/gpu/errors.hpp>
#include <rwkv/core/bf16.hpp>
#include <rwkv/core/size.hpp>
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
#ifndef __CUDACC__
#error "rwkv: Thrust is set to CUDA, which only nvcc compiles; link rwkv::gpu, see RWKV_GPU_SYSTEM in cmake/gpu.cmake"
#endif
#include <rwkv/backend/gpu/cuda.hpp>
#include <rwkv/backend/gpu/cuda_grid.hpp>
#else
#include <rwkv/backend/gpu/host.hpp>
#endif

namespace rwkv {
namespace detail::gpu {

/// i = row * columns + column. A 64-bit division costs a GPU some hundred instructions, more than most kernels do.
struct Place {
  dim_t row, column;
  RWKV_HD Place(dim_t i, dim_t columns) {
    if (i < columns) {
      row = 0, column = i;
    } else if (i >> 32 == 0) {
      const auto n = static_cast<std::uint32_t>(i), across = static_cast<std::uint32_t>(columns);
      row = n / across, column = n % across;
    } else {
      row = i / columns, column = i % columns;
    }
  }
};

template <class F>
struct EachElement {
  dim_t columns;
  F f;
  RWKV_HD void operator()(dim_t i) const {
    const Place at(i, columns);
    f(at.row, at.column);
  }
};
template <class F>
struct EachStep {
  dim_t columns, steps;
  F f;
  RWKV_HD void operator()(dim_t i) const {
    const Place at(i, columns);
    for (dim_t step = 0; step < steps; ++step) f(at.row, at.column, step);
  }
};

/// C = beta C, what a product of depth 0 is: cuBLAS does not say what it makes of one.
template <class Out>
struct Faded {
  dim_t row;
  Out* c;
  compute_of<Out> beta;
  RWKV_HD void operator()(dim_t r, dim_t column) const {
    const dim_t i = r * row + column;
    store(c, i, beta == 0 ? 0 : beta * load(c, i));
  }
};

}  // namespace detail::gpu

/// The device that Thrust was compiled for, one thread to a column or row: a GPU with CUDA, else the processor
/// (THRUST_DEVICE_SYSTEM; rwkv::gpu in CMake sets it, the same for the whole program). T is float, double or bf16.
/// Calls return when they are under way; what goes wrong in a kernel is an Error of the call that meets it, at the
/// latest of the next upload or download.
template <class T>
struct Gpu {
  using scalar = T;
  static constexpr bool asynchronous = true;

  static T* allocate(dim_t n) {
    detail::gpu::expect_device();
    detail::gpu::expect_no_recording("allocate");
    const dim_t size = n > 0 ? n : 1, bytes = detail::product(size, sizeof(T));
    try {
      if (bytes < detail::uncountable)
        if (T* const p = thrust::raw_pointer_cast(thrust::device_malloc<T>(static_cast<std::size_t>(size)))) return p;
    } catch (const std::bad_alloc&) {
    }
    detail::gpu::out_of_memory(static_cast<std::size_t>(bytes));
  }
  static void deallocate(T* p) noexcept {
    if (detail::gpu::keeps_for_later(p)) return;
    try {
      thrust::device_free(thrust::device_pointer_cast(p));
    } catch (...) {  // after an error every call fails, and the caller has already been told
    }
  }
  static void fill(T* p, dim_t n, T value) {
    run("fill", [&] { thrust::fill_n(detail::gpu::policy(), thrust::device_pointer_cast(p), n, value); });
  }
  static void copy(T* to, const T* from, dim_t n) {
    run("copy", [&] {
      thrust::copy_n(detail::gpu::policy(), thrust::device_pointer_cast(from), n, thrust::device_pointer_cast(to));
    });
  }
  static void upload(T* to, const T* from, dim_t n) { detail::gpu::upload(to, from, n); }
  static void download(T* to, const T* from, dim_t n) { detail::gpu::download(to, from, n); }

  /// f(row, column) for every element, in any order.
  template <class F>
  static void for_each(dim_t rows, dim_t columns, const F& f) {
    if (rows > 0 && columns > 0) each(rows * columns, detail::gpu::EachElement<F>{columns, f}, "for_each");
  }
  /// f(row) for every row, in any order.
  template <class F>
  static void for_each_row(dim_t rows, const F& f) {
    if (rows > 0) each(rows, f, "for_each_row");
  }
  /// f(row, column, step) with the steps of a column in order; what a step weighs matters to processors only.
  template <class F>
  static void for_each_step(dim_t rows, dim_t columns, dim_t steps, const F& f, dim_t = 1) {
    if (rows > 0 && columns > 0 && steps > 0)
      each(rows * columns, detail::gpu::EachStep<F>{columns, steps, f}, "for_each_step");
  }

  /// C (m, n) = op(A) (m, k) op(B) (k, n) + beta C, all row-major and dense. C is of T or of what T is computed with.
  template <class Out>
  static void matmul(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const T* a, const T* b, Out* c, compute_of<T> beta) {
    if (k <= 0) return Gpu<Out>::for_each(m, n, detail::gpu::Faded<Out>{n, c, beta});
    detail::gpu::matmul(of_a, of_b, m, n, k, a, b, c, beta);
  }
  /// The same of `count` matrices each; rows may lie apart.
  template <class Out>
  static void batched_matmul(dim_t count, Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, Matrices<const T> a,
                             Matrices<const T> b, Matrices<Out> c, compute_of<T> beta) {
    if (k > 0) return detail::gpu::batched_matmul(count, of_a, of_b, m, n, k, a, b, c, beta);
    for (dim_t i = 0; i < count; ++i) Gpu<Out>::for_each(m, n, detail::gpu::Faded<Out>{c.row, c[i], beta});
  }

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
  using Record = detail::gpu::Graph;
  /// C = op(A) op(B) + a row in one call; false, and nothing is done, where there is none.
  static bool matmul_add_row(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const T* a, const T* b, const T* row, T* c) {
    return detail::gpu::matmul_add_row(of_a, of_b, m, n, k, a, b, row, c);
  }
  /// kernel(block) in every thread of so many blocks: what makes Gpu a Grid.
  template <class Kernel>
  static void launch(dim_t blocks, const Kernel& kernel) {
    detail::gpu::launch(blocks, kernel);
  }
  /// Whether its blocks multiply fragments of bf16: from compute capability 8 on.
  static bool has_tensor_cores() {
    return detail::gpu::has_tensor_cores();
  }
#endif

 private:
  template <class Call>
  static void run(const char* verb, const Call& call) {
    detail::gpu::named(verb, call);
  }
  template <class F>
  static void each(dim_t n, const F& f, const char* verb) {
    run(verb, [&] { thrust::for_each_n(detail::gpu::policy(), thrust::counting_iterator<dim_t>(0), n, f); });
  }
};

}  // namespace rwkv
