#pragma once
#include <concepts>

#include <rwkv/core/accum.hpp>
#include <rwkv/core/shape.hpp>

namespace rwkv {

/// Which way a matrix is read in a product.
enum class Op { none, transpose };

/// Matrices of the same size, all row-major: `row` numbers from a row to the next, `stride` from a matrix to the next.
/// Of the heads in (tokens, heads * width), row is heads * width, stride is width.
template <class T>
struct Matrices {
  T* data;
  dim_t row, stride;

  RWKV_HD T* operator[](dim_t i) const { return data + i * stride; }
  template <std::same_as<const T> Const>
  RWKV_HD operator Matrices<Const>() const {
    return {data, row, stride};
  }
};
template <class T>
Matrices(T*, dim_t, dim_t) -> Matrices<T>;

namespace detail {
struct NoElement {
  RWKV_HD void operator()(dim_t, auto) const {}
};
struct NoRow {
  RWKV_HD void operator()(dim_t) const {}
};
struct NoStep {
  RWKV_HD void operator()(dim_t, auto, dim_t) const {}
};
}  // namespace detail

/// A machine. Everything else in the library is written on these verbs; pointers are the machine's own memory.
template <class B>
concept Backend = requires(typename B::scalar* p, const typename B::scalar* q, dim_t n,
                           compute_of<typename B::scalar>* full, Matrices<const typename B::scalar> operands) {
  typename B::scalar;
  { B::allocate(n) } -> std::same_as<typename B::scalar*>;  // n scalars; throws OutOfMemory
  B::deallocate(p);
  B::fill(p, n, typename B::scalar{});
  B::copy(p, q, n);                             // within the machine
  B::upload(p, q, n);                           // from the host
  B::download(p, q, n);                         // to the host
  B::for_each(n, n, detail::NoElement{});       // f(row, column): every element, any order; a column is one or Lanes
  B::for_each_row(n, detail::NoRow{});          // f(row): a kernel that looks at whole rows, see Row
  B::for_each_step(n, n, n, detail::NoStep{});  // f(row, column, step): the steps of a column in order
  // C = op(A) op(B) + beta C, row-major, summed in full precision; C may be of that, too
  B::matmul(Op::none, Op::transpose, n, n, n, q, q, p, 0);
  B::matmul(Op::none, Op::transpose, n, n, n, q, q, full, 0);
  // the same n times, of many small matrices
  B::batched_matmul(n, Op::none, Op::transpose, n, n, n, operands, operands, Matrices<typename B::scalar>{p, n, n}, 0);
  B::batched_matmul(n, Op::none, Op::transpose, n, n, n, operands, operands,
                    Matrices<compute_of<typename B::scalar>>{full, n, n}, 0);
};

/// Whether the calls of a machine return while it still works, so that looking at its memory means waiting for it.
template <class B>
inline constexpr bool asynchronous = requires {
  requires B::asynchronous;
};

}  // namespace rwkv
