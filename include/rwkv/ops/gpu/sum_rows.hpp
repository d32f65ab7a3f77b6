#pragma once
#include <array>

#include <rwkv/backend/grid.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/gpu/moving_tile.hpp>

namespace rwkv::detail::grid {

/// Sums of `each` rows after the other, from the first on, by column: to(part, column, sum), in an order that the shape
/// alone decides. A warp takes 32 columns of every eighth row. Bytes: those of the rows, once.
template <class T, class To>
struct SumRows {
  static constexpr int threads = 256, groups = threads / warp;
  using Number = compute_of<T>;
  dim_t rows, columns, each;
  const T* from;
  To to;

  RWKV_HD dim_t across() const { return (columns + warp - 1) / warp; }
  dim_t blocks() const { return (rows + each - 1) / each * across(); }

  struct Parts {
    Number of[groups][warp];
  };
  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const dim_t part = here.index() / across();
    const int lane = here.thread() % warp, group = here.thread() / warp;
    const dim_t c = here.index() % across() * warp + lane, end = math::min(rows, (part + 1) * each);
    Number total = 0;
    if (c < columns)
      for (dim_t r = part * each + group; r < end; r += groups) total += load(from, r * columns + c);
    auto& parts = here.template shared<Parts>();
    parts.of[group][lane] = total;
    here.sync();
    if (group > 0 || c >= columns) return;
    for (int other = 1; other < groups; ++other) total += parts.of[other][lane];
    to(part, c, total);
  }
};

template <class Number>
struct WriteSums {
  dim_t columns;
  Number* sums;
  RWKV_HD void operator()(dim_t part, dim_t c, Number total) const { sums[part * columns + c] = total; }
};
/// To `count` tensors side by side, those that are there.
template <class Number, std::size_t count>
struct AddSums {
  dim_t columns;  // of each
  Number* to[count];
  RWKV_HD void operator()(dim_t, dim_t c, Number total) const {
    unrolled<int(count)>([&](int n) {
      if (const dim_t at = c - n * columns; at >= 0 && at < columns && to[n]) to[n][at] += total;
    });
  }
};

/// Adds the sum of the rows of `from`, (rows, count, columns), to as many tensors of `columns` numbers; null is none.
/// Many rows are summed up by many blocks first: a few could not read them as fast.
template <Grid B, class T, std::size_t count>
void sum_rows(Scratch<B>& scratch, dim_t rows, dim_t columns, const T* from, std::array<compute_of<T>*, count> to) {
  using Number = compute_of<T>;
  constexpr dim_t few = 64;
  const dim_t all = columns * dim_t(count);
  AddSums<Number, count> add{columns, {}};
  bool wanted = false;
  for (std::size_t n = 0; n < count; ++n) add.to[n] = to[n], wanted |= to[n] != nullptr;
  if (!wanted) return;
  const auto launch = [](const auto& kernel) { B::launch(kernel.blocks(), kernel); };
  if (rows <= few) return launch(SumRows<T, AddSums<Number, count>>{rows, all, few, from, add});
  const auto frame = scratch.frame();
  const dim_t each = math::max(few, (rows + few - 1) / few), parts = (rows + each - 1) / each;
  Number* const sums = scratch.accum(parts * all);
  launch(SumRows<T, WriteSums<Number>>{rows, all, each, from, {all, sums}});
  launch(SumRows<Number, AddSums<Number, count>>{parts, all, few, sums, add});
}

}  // namespace rwkv::detail::grid
