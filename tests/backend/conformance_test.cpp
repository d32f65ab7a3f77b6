#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include <rwkv/backend/pool.hpp>
#include <rwkv/core/random.hpp>
#include "memory.hpp"
#ifdef THRUST_DEVICE_SYSTEM  // compiled for rwkv::gpu
#include <rwkv/backend/gpu.hpp>
#define BACKENDS Gpu<float>, Gpu<double>, Gpu<bf16>
#else
#include <rwkv/backend/eigen_cpu.hpp>
#include "../grid/host_grid.hpp"
#define BACKENDS \
  Cpu<float>, Cpu<double>, Cpu<bf16>, EigenCpu<float>, EigenCpu<double>, EigenCpu<bf16>, test::HostGrid<float>
#endif

// Every verb of the contract, on every machine, at sizes 0, 1, primes and large. A new backend is one more type here.
using namespace rwkv;

namespace {
using test::Memory;

template <class T>
std::vector<T> numbers(dim_t n, std::uint64_t stream) {
  std::vector<T> all(std::size_t(n), T(0));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = T(Random{1, stream}.normals(i)[0]);
  return all;
}

template <class T>
struct Count {  // every element is met once: its number is added to it
  dim_t columns;
  T* x;
  RWKV_HD void operator()(dim_t row, auto c) const {
    store(x, row * columns + c, load(x, row * columns + c) + compute_of<T>(1));
  }
};
template <class T>
struct CountRow {
  T* x;
  RWKV_HD void operator()(dim_t row) const { store(x, row, load(x, row) + compute_of<T>(row)); }
};
template <class T>
struct Recurrence {  // x <- x / 2 + step: right only if the steps of a column come in order
  dim_t columns;
  T* x;
  RWKV_HD void operator()(dim_t row, auto c, dim_t step) const {
    using N = compute_of<T>;
    store(x, row * columns + c, load(x, row * columns + c) * N(0.5) + N(step));
  }
};

/// What C holds where it is only written: it would stay.
template <class Out>
const Out not_read = Out(std::numeric_limits<float>::quiet_NaN());

/// Products of B, with a C of type Out in the memory of `Results`, against sums in double: off by the rounding of the
/// sum as it is computed, and of what is stored of it.
template <class B, class Results>
void check_products() {
  using T = typename B::scalar;
  using N = compute_of<T>;
  using Out = typename Results::scalar;
  const double of_out = std::is_same_v<Out, N> ? 0 : std::numeric_limits<Out>::epsilon() / 2;
  for (const dim_t m : {0, 1, 6, 37})
    for (const dim_t n : {0, 1, 16, 53})
      for (const dim_t k : {0, 1, 31, 400})
        for (const Op of_a : {Op::none, Op::transpose})
          for (const Op of_b : {Op::none, Op::transpose})
            for (const N beta : {N(0), N(1)}) {
              const auto a = numbers<T>(m * k, 1), b = numbers<T>(k * n, 2);
              auto c = numbers<Out>(m * n, 3);
              if (beta == N(0)) c.assign(c.size(), not_read<Out>);
              Memory<B> on_a(a), on_b(b);
              Memory<Results> on_c(c);
              B::matmul(of_a, of_b, m, n, k, on_a.data, on_b.data, on_c.data, beta);
              const auto found = on_c.host();
              for (dim_t i = 0; i < m; ++i)
                for (dim_t j = 0; j < n; ++j) {
                  double sum = beta == N(0) ? 0 : double(c[std::size_t(i * n + j)]), size = 1;
                  for (dim_t p = 0; p < k; ++p) {
                    const double product = double(a[std::size_t(of_a == Op::none ? i * k + p : p * m + i)]) *
                                           double(b[std::size_t(of_b == Op::none ? p * n + j : j * k + p)]);
                    sum += product, size += std::abs(product);
                  }
                  if (!(std::abs(double(found[std::size_t(i * n + j)]) - sum) <=
                        4 * std::numeric_limits<N>::epsilon() * size + of_out * std::abs(sum)))
                    FAIL_CHECK("product " << m << "x" << n << "x" << k << " at " << i << "," << j);
                }
            }
}
/// Batched products with rows and matrices that lie apart, or not, and some gaps, which must stay as they were.
template <class B, class Results>
void check_batched_products() {
  using T = typename B::scalar;
  using N = compute_of<T>;
  using Out = typename Results::scalar;
  const double of_out = std::is_same_v<Out, N> ? 0 : std::numeric_limits<Out>::epsilon() / 2;
  struct Size {
    dim_t count, m, n, k;
  };
  for (const Size s : {Size{0, 3, 3, 3}, Size{3, 0, 5, 2}, Size{3, 5, 0, 2}, Size{2, 3, 5, 0}, Size{1, 1, 1, 1},
                       Size{5, 7, 13, 3}, Size{3, 1, 64, 64}, Size{4, 64, 1, 64}, Size{2, 16, 16, 64},
                       Size{7, 64, 64, 16}, Size{3, 64, 64, 64}, Size{2, 37, 53, 31}, Size{2, 150, 131, 140}})
    for (const Op of_a : {Op::none, Op::transpose})
      for (const Op of_b : {Op::none, Op::transpose})
        for (const N beta : {N(0), N(0.5)})
          for (const bool heads : {false, true}) {
            // Dense matrices one after the other, or side by side in rows that hold them all and three numbers more.
            struct Laid {
              dim_t rows, columns, row, stride, size;
              Laid(dim_t count, dim_t r, dim_t c, bool beside)
                  : rows(r),
                    columns(c),
                    row(beside ? count * c + 3 : c),
                    stride(beside ? c : r * c),
                    size(beside ? r * row : count * stride) {}
              std::size_t at(dim_t i, dim_t r, dim_t c) const { return std::size_t(i * stride + r * row + c); }
            };
            const auto& [count, m, n, k] = s;
            const bool a_across = of_a == Op::transpose, b_across = of_b == Op::transpose;
            const Laid la(count, a_across ? k : m, a_across ? m : k, heads),
                lb(count, b_across ? n : k, b_across ? k : n, heads), lc(count, m, n, heads);
            const auto a = numbers<T>(la.size, 1), b = numbers<T>(lb.size, 2);
            const auto c = numbers<Out>(lc.size, 3);
            auto before = c;
            for (dim_t i = 0; beta == N(0) && i < count; ++i)
              for (dim_t r = 0; r < m; ++r)
                for (dim_t j = 0; j < n; ++j) before[lc.at(i, r, j)] = not_read<Out>;
            Memory<B> on_a(a), on_b(b);
            Memory<Results> on_c(before);
            B::batched_matmul(count, of_a, of_b, m, n, k, {on_a.data, la.row, la.stride},
                              {on_b.data, lb.row, lb.stride}, Matrices{on_c.data, lc.row, lc.stride}, beta);
            auto found = on_c.host();
            for (dim_t i = 0; i < count; ++i)
              for (dim_t r = 0; r < m; ++r)
                for (dim_t j = 0; j < n; ++j) {
                  double sum = beta == N(0) ? 0 : double(beta) * double(c[lc.at(i, r, j)]), size = 1;
                  for (dim_t p = 0; p < k; ++p) {
                    const double product = double(a[a_across ? la.at(i, p, r) : la.at(i, r, p)]) *
                                           double(b[b_across ? lb.at(i, j, p) : lb.at(i, p, j)]);
                    sum += product, size += std::abs(product);
                  }
                  auto& out = found[lc.at(i, r, j)];
                  if (!(std::abs(double(out) - sum) <=
                        4 * std::numeric_limits<N>::epsilon() * size + of_out * std::abs(sum)))
                    FAIL_CHECK("product " << count << " of " << m << "x" << n << "x" << k << " at " << i << "," << r
                                          << "," << j);
                  out = c[lc.at(i, r, j)];
                }
            CHECK(found == c);  // nothing else was written
          }
}

}  // namespace

TEST_CASE_TEMPLATE("memory goes up, across and down unchanged", B, BACKENDS) {
  static_assert(Backend<B>);
  using T = typename B::scalar;
  for (const dim_t n : {0, 1, 7, 1009, 300007}) {
    const auto host = numbers<T>(n, 1);
    Memory<B> a(host), b(n);
    CHECK(a.host() == host);
    B::copy(b.data, a.data, n);
    CHECK(b.host() == host);
    B::fill(a.data, n, T(3));
    CHECK(a.host() == std::vector<T>(std::size_t(n), T(3)));
    CHECK(b.host() == host);
  }
}

TEST_CASE_TEMPLATE("for_each meets every element once", B, BACKENDS) {
  using T = typename B::scalar;
  for (const dim_t rows : {0, 1, 3, 101})
    for (const dim_t columns : {0, 1, 5, 64, 97, 4096, 4097, 20011}) {
      Memory<B> x(std::vector<T>(std::size_t(rows * columns), T(2)));
      B::for_each(rows, columns, Count<T>{columns, x.data});
      CHECK(x.host() == std::vector<T>(std::size_t(rows * columns), T(3)));
    }
}

TEST_CASE_TEMPLATE("for_each_row meets every row once", B, BACKENDS) {
  using T = typename B::scalar;
  for (const dim_t rows : {0, 1, 2, 997}) {
    Memory<B> x(std::vector<T>(std::size_t(rows), T(1)));
    B::for_each_row(rows, CountRow<T>{x.data});
    const auto host = x.host();
    for (dim_t r = 0; r < rows; ++r) CHECK(host[std::size_t(r)] == T(r + 1));
  }
}

TEST_CASE_TEMPLATE("for_each_step takes the steps of a column in order", B, BACKENDS) {
  using T = typename B::scalar;
  for (const dim_t rows : {0, 1, 4})
    for (const dim_t columns : {0, 1, 13, 64, 200})
      for (const dim_t steps : {0, 1, 9}) {
        Memory<B> x(std::vector<T>(std::size_t(rows * columns), T(1)));
        B::for_each_step(rows, columns, steps, Recurrence<T>{columns, x.data});
        T expected(1);
        for (dim_t s = 0; s < steps; ++s) expected = T(expected * compute_of<T>(0.5) + compute_of<T>(s));
        CHECK(x.host() == std::vector<T>(std::size_t(rows * columns), expected));
      }
}

TEST_CASE_TEMPLATE("matmul is the sum of products", B, BACKENDS) {
  check_products<B, B>();
  if constexpr (!std::is_same_v<B, Accum<B>>) check_products<B, Accum<B>>();
}

TEST_CASE_TEMPLATE("batched_matmul is the same of many matrices, wherever they lie", B, BACKENDS) {
  check_batched_products<B, B>();
  if constexpr (!std::is_same_v<B, Accum<B>>) check_batched_products<B, Accum<B>>();
}

TEST_CASE("a pool runs every task once, nested and from several threads") {
  Pool pool(3);
  std::vector<std::atomic<int>> count(1000);
  pool.run(1000, [&](dim_t i) { pool.run(3, [&](dim_t) { count[std::size_t(i)] += 1; }); });
  for (auto& c : count) CHECK(c == 3);
  std::thread other([&] { pool.run(1000, [&](dim_t i) { count[std::size_t(i)] += 1; }); });
  pool.run(1000, [&](dim_t i) { count[std::size_t(i)] += 1; });
  other.join();
  for (auto& c : count) CHECK(c == 5);
}
