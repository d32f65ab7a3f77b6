#pragma once
#include <algorithm>
#include <type_traits>

#include <rwkv/backend/cpu/few_rows.hpp>
#include <rwkv/backend/cpu/product.hpp>
#include <rwkv/backend/cpu/small_product.hpp>
#include <rwkv/backend/cpu/store_sums.hpp>
#include <rwkv/backend/cpu/unit_tile.hpp>

namespace rwkv {

/// How a Cpu multiplies matrices: by this library's own kernels, on lanes and on the threads of pool(). The bits of a
/// result do not depend on the number of threads.
struct TunedProducts {
  /// C (m, n) = op(A) (m, k) op(B) (k, n) + beta C, all row-major and dense. With beta 0, C is not read. A and B may be
  /// stored in different lengths, but are computed with in the same. Sums are in that; C may be of it, or of A's, to
  /// which a sum is rounded once.
  template <class Left, class Right, class Out>
  static void matmul(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const Left* a, const Right* b, Out* c,
                     compute_of<Left> beta) {
    if (m <= 0 || n <= 0) return;
    const bool rows_of_a = of_a == Op::none || m == 1, columns_of_b = of_b == Op::transpose || n == 1;
    if (k <= 0) {
      detail::scale(m, n, c, n, beta);
    } else if (rows_of_a && columns_of_b && m <= detail::FewRows<Left, Right, Out>::most) {
      detail::FewRows<Left, Right, Out>{n, k, a, b, c, beta}.run(m);
    } else if (rows_of_a && columns_of_b && n == 1) {
      detail::FewRows<Right, Left, Out>{m, k, b, a, c, beta}.run(1);
    } else {
      const dim_t lda = of_a == Op::none ? k : m, ldb = of_b == Op::none ? n : k;
      large<Left, Right, Out>(of_a, of_b, m, n, k, a, lda, b, ldb, c, n, beta);
    }
  }

  /// The same of `count` matrices each; rows may lie apart.
  template <class T, class Out>
  static void batched_matmul(dim_t count, Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, Matrices<const T> a,
                             Matrices<const T> b, Matrices<Out> c, compute_of<T> beta) {
    using Small = detail::SmallProduct<T, Out>;
    if (m <= 0 || n <= 0) return;
    const auto one = [&](dim_t i) {
      if (k <= 0) return detail::scale(m, n, c[i], c.row, beta);
      if (Small::fits(m, n, k) && !by_unit<T, T>(k))
        Small{of_a, of_b, m, n, k, a[i], a.row, b[i], b.row, c[i], c.row, beta}.run();
      else
        large<T, T, Out>(of_a, of_b, m, n, k, a[i], a.row, b[i], b.row, c[i], c.row, beta);
    };
    const bool each_by_all = count < pool().threads() && !Small::fits(m, n, k);
    detail::parallel_if(!each_by_all && count * m * n * k > 1 << 17, count, one);
  }

 private:
  template <class Left, class Right>
  static bool by_unit(dim_t k) {
    if constexpr (detail::UnitTile::multiplies<Left, Right>)
      return detail::UnitTile::takes(k);
    else
      return false;
  }
  template <class Left, class Right, class Out>
  static void large(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const auto&... operands) {
    if constexpr (detail::UnitTile::multiplies<Left, Right>)
      if (detail::UnitTile::takes(k))
        return detail::Product<Left, Right, Out, detail::UnitTile>{of_a, of_b, m, n, k, operands...}.run();
    detail::Product<Left, Right, Out>{of_a, of_b, m, n, k, operands...}.run();
  }
};

}  // namespace rwkv
