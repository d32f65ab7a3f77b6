#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/core/weight_matrix.hpp>
#include <rwkv/ops/block_product.hpp>

namespace rwkv {
namespace detail {

/// Rows of a table whose numbers are Stored.
template <class T, class Stored>
struct LookUpAs {
  dim_t columns;
  const std::int32_t* ids;
  const Stored* table;
  T* y;
  RWKV_HD void operator()(dim_t n, auto c) const {
    store(y, n * columns + c, convert<compute_of<T>>(load(table, ids[n] * columns + c)));
  }
};

/// A machine multiplies by weights that are stored as another scalar, or they are converted first.
template <class B, class Stored>
void stored_product(Scratch<B>& scratch, dim_t rows, dim_t outputs, dim_t inputs, const typename B::scalar* x,
                    const void* weight, typename B::scalar* y, compute_of<typename B::scalar> beta) {
  const auto* const numbers = static_cast<const Stored*>(weight);
  if constexpr (is_block<Stored>) {
    block_product<B>(scratch, rows, outputs, inputs, x, numbers, y, beta);
  } else if constexpr (requires { B::matmul(Op::none, Op::transpose, rows, outputs, inputs, x, numbers, y, beta); }) {
    B::matmul(Op::none, Op::transpose, rows, outputs, inputs, x, numbers, y, beta);
  } else {
    const auto frame = scratch.frame();
    auto* const converted = scratch.take(outputs * inputs);
    copy_as<B>(converted, numbers, outputs * inputs);
    B::matmul(Op::none, Op::transpose, rows, outputs, inputs, x, converted, y, beta);
  }
}
template <class B, class Stored>
void stored_look_up(dim_t n, dim_t columns, const std::int32_t* ids, const void* weight, typename B::scalar* y) {
  B::for_each(n, columns, LookUpAs<typename B::scalar, Stored>{columns, ids, static_cast<const Stored*>(weight), y});
}

}  // namespace detail

/// Matrices whose numbers are stored as Stored (float, bf16, blocks) on a machine with other scalars. To be named in a
/// Layout:
///   Owned<B, Params> params({}, {.formats = {{"head.weight", &stored_as<B, bf16>}}});
template <class B, class Stored>
inline constexpr WeightFormat<B> stored_as{storage_of<Stored>, &detail::stored_product<B, Stored>,
                                           &detail::stored_look_up<B, Stored>};

/// How machine B uses matrices that are stored so; null where they are its own scalars, or longer ones.
template <class B>
const WeightFormat<B>* format_of(Storage storage) {
  return with_storage(storage, [&]<class Stored>() -> const WeightFormat<B>* {
    if constexpr (std::is_same_v<Stored, double> || std::is_same_v<Stored, typename B::scalar>)
      return nullptr;
    else
      return &stored_as<B, Stored>;
  });
}

}  // namespace rwkv
