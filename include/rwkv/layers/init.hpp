#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include <rwkv/backend/pool.hpp>
#include <rwkv/core/fields.hpp>
#include <rwkv/core/lanes.hpp>

namespace rwkv::detail {

/// to[0, n) -= factor * from[0, n)
inline void subtract(dim_t n, double factor, const double* from, double* to) {
  constexpr int W = native_width<double>;
  dim_t i = 0;
  for (; i + W <= n; i += W) store(to, Lanes<W>{i}, load(to, Lanes<W>{i}) - factor * load(from, Lanes<W>{i}));
  for (; i < n; ++i) to[i] -= factor * from[i];
}

/// The orthonormal factor of the thin QR of a (rows >= columns), with a positive diagonal of R, in place: by Cholesky
/// of A^T A = R^T R, then Q R = A row by row. One pass squares the condition number, so square matrices take a second
/// one.
inline void orthonormalise(dim_t rows, dim_t columns, std::vector<double>& a) {
  constexpr dim_t some = 32;  // rows of R to a task
  std::vector<double> r(static_cast<std::size_t>(columns * columns));
  for (int pass = rows < 2 * columns ? 2 : 1; pass > 0; --pass) {
    pool().run((columns + some - 1) / some, [&](dim_t task) {  // the upper triangle of A^T A
      const dim_t end = std::min((task + 1) * some, columns);
      std::fill_n(r.data() + task * some * columns, (end - task * some) * columns, 0.0);
      for (dim_t q = 0; q < rows; ++q)
        for (dim_t i = task * some, at = q * columns; i < end; ++i)
          subtract(columns - i, -a[static_cast<std::size_t>(at + i)], a.data() + at + i, r.data() + i * columns + i);
    });
    for (dim_t k = 0; k < columns; ++k) {
      double* row = r.data() + k * columns;
      const double diagonal = std::sqrt(row[k]);
      for (dim_t j = k; j < columns; ++j) row[j] /= diagonal;
      pool().run((columns - k - 1 + some - 1) / some, [&](dim_t task) {
        for (dim_t i = k + 1 + task * some, end = std::min(i + some, columns); i < end; ++i)
          subtract(columns - i, row[i], row + i, r.data() + i * columns + i);
      });
    }
    pool().run(rows, [&](dim_t q) {
      double* row = a.data() + q * columns;
      for (dim_t k = 0; k < columns; ++k) {
        row[k] /= r[static_cast<std::size_t>(k * columns + k)];
        subtract(columns - k - 1, row[k], r.data() + k * columns + k + 1, row + k + 1);
      }
    });
  }
}

/// An orthonormal factor of normal numbers, times scale.
inline void fill_scaled(const Site& site, double scale, std::span<float> values) {
  const bool wide = site.rows < site.columns;
  const dim_t rows = wide ? site.columns : site.rows, columns = wide ? site.rows : site.columns;
  std::vector<double> a(values.size());
  pool().run((rows + 63) / 64, [&](dim_t task) {
    const auto n = static_cast<dim_t>(a.size());
    for (dim_t i = task * 64 * columns, end = std::min((task + 1) * 64 * columns, n); i < end; ++i)
      a[static_cast<std::size_t>(i)] =
          site.random.normals(static_cast<std::uint64_t>(i) / 2)[static_cast<std::size_t>(i % 2)];
  });
  orthonormalise(rows, columns, a);
  for (dim_t i = 0; i < site.rows; ++i)
    for (dim_t j = 0; j < site.columns; ++j)
      values[static_cast<std::size_t>(i * site.columns + j)] =
          float(scale * a[static_cast<std::size_t>(wide ? j * columns + i : i * columns + j)]);
}

inline void fill_orthogonal(const Site& site, float gain, std::span<float> values) {
  fill_scaled(site, double(gain) * std::sqrt(std::max(1.0, double(site.rows) / double(site.columns))), values);
}
inline void fill_orthonormal(const Site& site, float gain, std::span<float> values) {
  fill_scaled(site, double(gain), values);
}

inline void fill_uniform(const Site& site, float gain, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = gain * float(2 * site.random.uniform(i) - 1);
}
inline void fill_normal(const Site& site, float gain, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = gain * float(site.random.normals(i / 2)[i % 2]);
}

}  // namespace rwkv::detail

namespace rwkv::init {

/// Orthonormal rows or columns, whichever are fewer, times gain.
constexpr Init orthonormal(float gain = 1) {
  return {"orthonormal", &detail::fill_orthonormal, gain};
}
/// The same, times sqrt(rows / columns) where there are more rows than columns.
constexpr Init orthogonal(float gain = 1) {
  return {"orthogonal", &detail::fill_orthogonal, gain};
}
/// Uniform in [-range, range).
constexpr Init uniform(float range) {
  return {"uniform", &detail::fill_uniform, range};
}
/// Normal with that standard deviation.
constexpr Init normal(float deviation) {
  return {"normal", &detail::fill_normal, deviation};
}

/// To be named in template arguments, which take a reference to a constant.
inline constexpr Init orthogonal_unit = orthogonal(), orthogonal_half = orthogonal(0.5f),
                      uniform_small = uniform(6e-4f), uniform_tiny = uniform(1e-4f);

}  // namespace rwkv::init
