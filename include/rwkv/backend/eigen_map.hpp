#pragma once
#include <Eigen/Core>

#include <type_traits>

#include <rwkv/core/bf16.hpp>
#include <rwkv/core/error.hpp>
#include <rwkv/core/view.hpp>

// Tensors as Eigen's matrices and back, without a copy. In the host's memory, that is, of Cpu.
//
//   y.matrix() = (x.matrix() * weight.matrix().transpose()).rowwise() + bias.matrix();
namespace rwkv {
namespace detail {

/// Eigen's name of a number: a bf16 is its bfloat16, to be computed with by .cast<float>().
template <class T>
using EigenScalar = std::conditional_t<std::is_same_v<T, bf16>, Eigen::bfloat16, T>;

template <class T, int Rows>
using EigenRows = Eigen::Matrix<EigenScalar<std::remove_const_t<T>>, Rows, Eigen::Dynamic, Eigen::RowMajor>;

/// Rows of numbers, `row` of them from one to the next; of a const T, what cannot be written.
template <int Rows = Eigen::Dynamic, class T>
auto eigen_map(T* data, dim_t rows, dim_t columns, dim_t row) {
  using Matrix = EigenRows<T, Rows>;
  using Number = std::conditional_t<std::is_const_v<T>, const typename Matrix::Scalar, typename Matrix::Scalar>;
  using Map =
      Eigen::Map<std::conditional_t<std::is_const_v<T>, const Matrix, Matrix>, Eigen::Unaligned, Eigen::OuterStride<>>;
  return Map(reinterpret_cast<Number*>(data), rows, columns, Eigen::OuterStride<>(row));
}

/// What View::matrix gives: of (Batch, Time, C) the tokens are the rows; of (Outputs, Inputs), Outputs; a (C) is one
/// row.
template <class T, class S>
struct AsMatrix<View<T, S>> {
  static constexpr bool named = S::extents[0] < 0, one_row = !named && S::rank == 1;
  static constexpr int rows = one_row ? 1 : Eigen::Dynamic;
  static constexpr dim_t columns = named || one_row ? S::unit : S::unit / S::extents[0];

  static auto of(const View<T, S>& x) { return eigen_map<rows>(x.data, x.size() / columns, columns, columns); }
};

}  // namespace detail

/// The tensor of shape S that lies in the memory of an Eigen matrix, in the rows and columns of View::matrix. Error
/// where the matrix has others, or gaps between its rows.
template <class S, class Matrix>
auto view_of(Matrix&& matrix, Seq seq = {}) {
  using T = std::remove_pointer_t<decltype(matrix.data())>;
  static_assert(std::is_lvalue_reference_v<Matrix>, "rwkv: a view of a temporary matrix would outlive it");
  static_assert(std::remove_cvref_t<Matrix>::IsRowMajor, "rwkv: expected a matrix in rows, Eigen::RowMajor");
  const View<T, S> x{matrix.data(), seq};
  const auto expected = x.matrix();
  if (matrix.rows() != expected.rows() || matrix.cols() != expected.cols() || matrix.outerStride() != expected.cols())
    throw Error("view_of: expected a matrix of ", expected.rows(), " x ", expected.cols(), " without gaps, found ",
                matrix.rows(), " x ", matrix.cols(), ", rows ", matrix.outerStride(), " numbers apart");
  return x;
}

}  // namespace rwkv
