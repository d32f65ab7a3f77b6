#pragma once
#include <algorithm>
#include <type_traits>

#include <rwkv/backend/backend.hpp>
#include <rwkv/backend/cpu/packing.hpp>
#include <rwkv/backend/cpu/store_sums.hpp>
#include <rwkv/backend/eigen_map.hpp>
#include <rwkv/backend/pool.hpp>
#include <rwkv/backend/thread_buffer.hpp>

namespace rwkv {

/// How a Cpu multiplies matrices: by Eigen, a block of C to a task of pool(). The blocks depend on the size of C alone,
/// and so the bits do not depend on the number of threads. Numbers that are stored shorter are widened first.
struct EigenProducts {
  /// C (m, n) = op(A) (m, k) op(B) (k, n) + beta C: see TunedProducts.
  template <class Left, class Right, class Out>
  static void matmul(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const Left* a, const Right* b, Out* c,
                     compute_of<Left> beta) {
    if (m <= 0 || n <= 0) return;
    const dim_t lda = of_a == Op::none ? k : m, ldb = of_b == Op::none ? n : k;
    const dim_t down = (m + side - 1) / side, across = (n + side - 1) / side;
    run(down * across, m * n * k, [&](dim_t task) {
      const dim_t i = task % down * side, j = task / down * side;
      const Left* rows = k > 0 ? a + i * (of_a == Op::none ? lda : 1) : a;  // without a depth there may be no memory
      const Right* columns = k > 0 ? b + j * (of_b == Op::none ? 1 : ldb) : b;
      one(of_a, of_b, std::min(side, m - i), std::min(side, n - j), k, rows, lda, columns, ldb, c + i * n + j, n, beta);
    });
  }
  /// The same of `count` matrices each; rows may lie apart.
  template <class T, class Out>
  static void batched_matmul(dim_t count, Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, Matrices<const T> a,
                             Matrices<const T> b, Matrices<Out> c, compute_of<T> beta) {
    if (m <= 0 || n <= 0) return;
    run(count, count * m * n * k,
        [&](dim_t i) { one(of_a, of_b, m, n, k, a[i], a.row, b[i], b.row, c[i], c.row, beta); });
  }

 private:
  static constexpr dim_t side = 256;  // of a block: what it reads is read often enough to be worth Eigen's packing

  template <class F>
  static void run(dim_t tasks, dim_t work, const F& f) {
    detail::parallel_if(work > 1 << 17, tasks, f);  // less costs less than waking a thread
  }
  template <class Left, class Right, class Out>
  static void one(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const Left* a, dim_t lda, const Right* b, dim_t ldb,
                  Out* c, dim_t ldc, compute_of<Left> beta) {
    using T = compute_of<Left>;
    static thread_local detail::ThreadBuffer<T> for_a, for_b, for_c;
    const auto left = widened(a, of_a == Op::none ? m : k, of_a == Op::none ? k : m, lda, for_a);
    const auto right = widened(b, of_b == Op::none ? k : n, of_b == Op::none ? n : k, ldb, for_b);
    if constexpr (std::is_same_v<Out, T>) {
      multiply(of_a, of_b, left, right, detail::eigen_map(c, m, n, ldc), beta);
    } else {
      T* const sums = for_c.at_least(m * n);
      multiply(of_a, of_b, left, right, detail::eigen_map(sums, m, n, n), T(0));
      detail::store_sums(m, n, sums, c, ldc, beta);
    }
  }
  /// A matrix as numbers that are computed with: in place, or in the buffer.
  template <class Stored, class T>
  static auto widened(const Stored* from, dim_t rows, dim_t columns, dim_t row, detail::ThreadBuffer<T>& buffer) {
    if constexpr (std::is_same_v<Stored, T>) {
      return detail::eigen_map(from, rows, columns, row);
    } else {
      T* const to = buffer.at_least(rows * columns);
      for (dim_t r = 0; r < rows; ++r) detail::Packing<Stored>::widen(from + r * row, columns, to + r * columns);
      return detail::eigen_map(static_cast<const T*>(to), rows, columns, columns);
    }
  }
  template <class T>
  static void multiply(Op of_a, Op of_b, const auto& a, const auto& b, auto c, T beta) {
    const auto sum = [&](const auto& left, const auto& right) {
      if (beta == T(0)) {
        c.noalias() = left * right;
      } else {
        if (beta != T(1)) c *= beta;
        c.noalias() += left * right;
      }
    };
    const auto with = [&](const auto& left) { of_b == Op::none ? sum(left, b) : sum(left, b.transpose()); };
    of_a == Op::none ? with(a) : with(a.transpose());
  }
};

}  // namespace rwkv
