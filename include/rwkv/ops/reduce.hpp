#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/accum.hpp>

namespace rwkv {
namespace detail {
template <class T>
struct AddRows {
  dim_t rows, stride;
  const T* from;
  T* to;
  RWKV_HD void operator()(dim_t, auto c) const {
    auto total = load(from, c);
    for (dim_t r = 1; r < rows; ++r) total = total + load(from, r * stride + c);
    store(to, c, load(to, c) + total);
  }
};
}  // namespace detail

/// to (columns) += the sum of the rows of `from`, top to bottom, in full precision; nothing where `to` is null; rows
/// lie `stride` apart.
template <class B>
void add_rows(dim_t rows, dim_t columns, dim_t stride, const compute_of<typename B::scalar>* from,
              compute_of<typename B::scalar>* to) {
  if (rows > 0 && to != nullptr)
    B::for_each(1, columns, detail::AddRows<compute_of<typename B::scalar>>{rows, stride, from, to});
}

}  // namespace rwkv
