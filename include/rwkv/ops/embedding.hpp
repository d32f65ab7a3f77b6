#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/core/weight_matrix.hpp>

namespace rwkv {
namespace detail {
template <class T, dim_t C>
struct LookUp {
  static constexpr dim_t row_length = C;
  const std::int32_t* ids;
  const T* table;
  T* y;
  RWKV_HD void operator()(dim_t bt, auto c) const { store(y, bt * C + c, load(table, ids[bt] * C + c)); }
};
/// A column adds its tokens in order, so that equal tokens never race.
template <class T, dim_t C>
struct LookUpBackward {
  static constexpr dim_t row_length = C;
  dim_t tokens;
  const std::int32_t* ids;
  const T* dy;
  compute_of<T>* dtable;
  RWKV_HD void operator()(dim_t, auto c, dim_t) const {
    for (dim_t bt = 0; bt < tokens; ++bt) {
      const auto i = ids[bt] * C + c;
      store(dtable, i, load(dtable, i) + load(dy, bt * C + c));
    }
  }
};
}  // namespace detail

/// y = table[ids]. Ids must lie in [0, V): the reader of the ids has checked it.
template <class B, dim_t V, dim_t C>
void embedding_forward(WeightMatrix<B, V, C> table, TokenIds ids, Tensor<B, Batch, Time, C> y) {
  if (table.format) return table.format->look_up(ids.seq.tokens(), C, ids.data, table.data, y.data);
  B::for_each(ids.seq.tokens(), C, detail::LookUp<typename B::scalar, C>{ids.data, table.data, y.data});
}
/// dtable[ids] += dy, unless the table is not trained.
template <class B, dim_t V, dim_t C>
void embedding_backward(Scratch<B>&, TokenIds ids, Tensor<B, Batch, Time, C> dy, WeightMatrix<Accum<B>, V, C> dtable) {
  if (!dtable.data) return;
  B::for_each_step(1, C, 1,
                   detail::LookUpBackward<typename B::scalar, C>{ids.seq.tokens(), ids.data, dy.data, dtable.data});
}

}  // namespace rwkv

#include <rwkv/ops/gpu/embedding.hpp>
