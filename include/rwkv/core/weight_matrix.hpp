#pragma once
#include <rwkv/core/error.hpp>
#include <rwkv/core/storage.hpp>
#include <rwkv/core/view.hpp>

namespace rwkv {

template <class B>
class Scratch;

/// What machine B can do with weights that are stored otherwise than its scalars: see ops/weight_format.hpp. Another
/// way to store matrices, such as blocks of 8 bits, is another object of this type; layers need not know.
template <class B>
struct WeightFormat {
  using T = typename B::scalar;
  Storage storage;
  /// y (rows, outputs) = x (rows, inputs) W^T + beta y, W being (outputs, inputs).
  void (*product)(Scratch<B>&, dim_t rows, dim_t outputs, dim_t inputs, const T* x, const void* weight, T* y,
                  compute_of<T> beta);
  /// y (n, columns) = the rows of W that ids name, n of them.
  void (*look_up)(dim_t n, dim_t columns, const std::int32_t* ids, const void* weight, T* y);
};

/// A matrix of weights, (Rows, Columns): the leaf type of all parameters that are multiplied by. How its numbers are
/// stored is decided for each matrix when memory is taken for it (see Layout); without a format they are B's scalars,
/// and the matrix is a View of them. With one, `data` is only where they begin, and they cannot be trained.
template <class B, dim_t Rows, dim_t Columns>
struct WeightMatrix : View<typename B::scalar, Shape<Rows, Columns>> {
  const WeightFormat<B>* format = nullptr;

  /// As an Eigen matrix, see rwkv/eigen.hpp. Error where the numbers are not B's scalars.
  auto matrix() const {
    if (format)
      throw Error("matrix: expected weights stored as the machine's own scalars, found ", name_of(format->storage));
    return View<typename B::scalar, Shape<Rows, Columns>>::matrix();
  }
};

/// Rows first ... first + Count - 1 of a matrix, which must lie on whole bytes.
template <dim_t Count, class B, dim_t Rows, dim_t Columns>
WeightMatrix<B, Count, Columns> rows_of(const WeightMatrix<B, Rows, Columns>& all, dim_t first) {
  using T = typename B::scalar;
  if (all.data == nullptr) return {{nullptr, all.seq}, nullptr};  // a gradient that is not kept
  if (all.format == nullptr) return {{all.data + first * Columns, all.seq}, nullptr};
  auto* const bytes = reinterpret_cast<char*>(all.data) + bytes_of(all.format->storage, first * Columns);
  return {{reinterpret_cast<T*>(bytes), all.seq}, all.format};
}

}  // namespace rwkv
