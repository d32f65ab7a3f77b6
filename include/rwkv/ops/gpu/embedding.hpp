#pragma once
#include <rwkv/ops/embedding.hpp>
#include <rwkv/ops/gpu/block_row.hpp>

// The gradient of an embedding without atomics: the block of the first token of its kind adds all the others of that
// kind, in order. In float, bytes a token: 4 C in, and 8 C a token of its kind for the table; the ids are compared in
// the caches, up to n of them for every one of n tokens. On an H100 (3.35 TB/s) that is at least 0.9 ns a token of 768
// channels, and 1.8 ns more for every row of the table that is met. A token that comes often makes its block the last.
namespace rwkv {
namespace detail::grid {

template <class T, dim_t C>
struct LookUpBackward {
  using Row = BlockRow<C, 256>;
  static constexpr int threads = Row::threads;
  dim_t tokens;
  const std::int32_t* ids;
  const T* dy;
  compute_of<T>* dtable;

  struct Met {
    bool by[threads];
  };
  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const dim_t mine = here.index();
    const std::int32_t id = ids[mine];
    for (dim_t end = mine; end > 0; end -= threads) {  // tokens close by are the likelier ones
      const dim_t j = end - 1 - here.thread();
      if (reduce_block(here, j >= 0 && ids[j] == id ? 1 : 0, Larger{})) return;
    }
    auto& met = here.template shared<Met>();
    compute_of<T> sum[Row::count]{};
    for (dim_t first = mine; first < tokens; first += threads) {
      const dim_t j = first + here.thread();
      const bool same = j < tokens && ids[j] == id;
      if (!reduce_block(here, same ? 1 : 0, Larger{})) continue;
      here.sync();  // the tile before has been read
      met.by[here.thread()] = same;
      here.sync();
      for (int k = 0; k < threads; ++k)
        if (met.by[k]) Row::each(here.thread(), [&](int n, dim_t c) { sum[n] += dy[(first + k) * C + c]; });
    }
    Row::each(here.thread(), [&](int n, dim_t c) { dtable[id * C + c] += sum[n]; });
  }
};

}  // namespace detail::grid

template <class B, dim_t V, dim_t C>
requires Grid<B>
void embedding_backward(Scratch<B>&, TokenIds ids, Tensor<B, Batch, Time, C> dy, WeightMatrix<Accum<B>, V, C> dtable) {
  if (!dtable.data) return;
  B::launch(ids.seq.tokens(),
            detail::grid::LookUpBackward<typename B::scalar, C>{ids.seq.tokens(), ids.data, dy.data, dtable.data});
}

}  // namespace rwkv
