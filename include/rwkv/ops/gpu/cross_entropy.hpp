#pragma once
#include <rwkv/ops/cross_entropy.hpp>
#include <rwkv/ops/gpu/block_row.hpp>

// Cross-entropy, a block to a row: one pass finds the largest logit and the sum of exponentials beside it (Milakov and
// Gimelshein, arXiv 1805.02867), one writes the gradient. In float, bytes a token: 4 V in for the loss, 4 V in and 4 V
// out with the gradient, where a row of up to 16384 stays in registers; a longer one is read a second time, from the L2
// cache where it holds the rows under way. Exponentials: V, or 2 V. On an H100 (3.35 TB/s, about 3.7e12 exponentials/s)
// that is at least 60 ns a token of 50277 logits, or 120 ns with the gradient; the exponentials take 27 ns.
namespace rwkv {
namespace detail::grid {

/// The largest of some logits and where it comes first, and the sum of all e^(z - top).
template <class T>
struct Partition {
  T top, total;
  std::int32_t where;

  RWKV_HD void see(T z, std::int32_t at) {
    if (z <= top) {
      total += math::exp(z - top);
    } else {  // higher, or NaN, which stays
      total = total * math::exp(top - z) + T(1), top = z, where = at;
    }
  }
};
struct JoinPartitions {
  template <class P>
  RWKV_HD P operator()(const P& a, const P& b) const {
    const bool from_b = b.top > a.top || (b.top == a.top && b.where < a.where);
    const auto top = from_b ? b.top : a.top;
    return {top, a.total * math::exp(a.top - top) + b.total * math::exp(b.top - top), from_b ? b.where : a.where};
  }
};

template <class T, dim_t V, bool Gradient>
struct CrossEntropy {
  using Row = BlockRow<V, 1024>;
  static constexpr int threads = Row::threads;
  static constexpr bool kept = Row::count <= 16;
  using Number = compute_of<T>;
  Number scale, l2wrap;
  const std::int32_t* target;
  T* z;
  Number* loss;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    T* const z_r = z + here.index() * V;
    const std::int32_t chosen = target[here.index()];
    Number row[kept ? Row::count : 1]{}, z_chosen{};
    if constexpr (kept) Row::each(here.thread(), [&](int j, dim_t c) { row[j] = z_r[c]; });
    const auto at = [&](int j, dim_t c) { return kept ? row[kept ? j : 0] : load(z_r, c); };

    Partition<Number> all{std::numeric_limits<Number>::lowest(), Number(0), static_cast<std::int32_t>(V - 1)};
    Row::each(here.thread(), [&](int j, dim_t c) {
      const Number z_c = at(j, c);
      if (c == chosen) z_chosen = z_c;
      all.see(z_c, static_cast<std::int32_t>(c));
    });
    all = reduce_block(here, all, JoinPartitions{});
    if (here.thread() == chosen % threads) loss[here.index()] = math::log(all.total) + (all.top - z_chosen);
    if constexpr (Gradient) {
      const Number share = scale / all.total, pulled = l2wrap != Number(0) ? scale * l2wrap * all.top : Number(0);
      Row::each(here.thread(), [&](int j, dim_t c) {
        Number g = math::exp(at(j, c) - all.top) * share;
        if (c == chosen) g -= scale;
        if (c == all.where) g += pulled;
        store(z_r, c, g);
      });
    }
  }
};

}  // namespace detail::grid

template <class B, dim_t V>
requires Grid<B>
double cross_entropy(Scratch<B>& scratch, Tensor<B, Batch, Time, V> logits, TokenIds targets) {
  using T = typename B::scalar;
  const auto frame = scratch.frame();
  const auto losses = scratch.template accum<Shape<Batch, Time>>(logits.seq);
  B::launch(logits.seq.tokens(), detail::grid::CrossEntropy<T, V, false>{0, 0, targets.data, logits.data, losses.data});
  return detail::mean<B>(losses);
}
template <class B, dim_t V>
requires Grid<B>
double cross_entropy_backward(Scratch<B>& scratch, Tensor<B, Batch, Time, V> logits, TokenIds targets,
                              double weight = 1, double l2wrap = 0) {
  using Kernel = detail::grid::CrossEntropy<typename B::scalar, V, true>;
  using Number = typename Kernel::Number;
  const auto frame = scratch.frame();
  const auto losses = scratch.template accum<Shape<Batch, Time>>(logits.seq);
  const Number scale = Number(weight / double(logits.seq.tokens()));
  B::launch(logits.seq.tokens(), Kernel{scale, Number(l2wrap), targets.data, logits.data, losses.data});
  return detail::mean<B>(losses);
}

}  // namespace rwkv
