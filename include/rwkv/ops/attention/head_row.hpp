#pragma once
#include <rwkv/core/math.hpp>
#include <rwkv/ops/rows.hpp>

namespace rwkv::detail {

/// What q is multiplied by, once, for scores.
template <class T>
RWKV_HD T query_scale(dim_t D) {
  return T(1.44269504088896340736) / math::sqrt(T(D));
}

/// What the backward pass reads of the softmax of one row, at n: its largest score and its denominator.
template <class T>
struct Softmax {
  T* data;  // (Batch, Time, heads, 2)
  RWKV_HD T& top(dim_t n) const { return data[2 * n]; }
  RWKV_HD T& total(dim_t n) const { return data[2 * n + 1]; }
};

/// The product of two rows of D numbers, and adding to one.
template <class T, dim_t D>
struct HeadRow : Row<T, D> {
  static RWKV_HD T score(const T* q, const T* k) {
    const T scale = query_scale<T>(D);
    return Row<T, D>::sum([&](auto c) { return load(q, c) * scale * load(k, c); });
  }
  static RWKV_HD T dot(const T* a, const T* b) {
    return Row<T, D>::sum([&](auto c) { return load(a, c) * load(b, c); });
  }
  static RWKV_HD void clear(T* to) {
    Row<T, D>::each([&](auto c) { store(to, c, At<T, decltype(c)>{}); });
  }
  /// to = old to + weight x
  static RWKV_HD void add(T* to, T old, T weight, const T* x) {
    Row<T, D>::each([&](auto c) { store(to, c, load(to, c) * old + load(x, c) * weight); });
  }
};

}  // namespace rwkv::detail
