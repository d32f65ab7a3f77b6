#pragma once
#include <algorithm>
#include <limits>

#include <rwkv/backend/thread_buffer.hpp>
#include <rwkv/ops/attention/reference.hpp>

namespace rwkv::detail {

/// A few tokens behind a long past: decoding. Reading the keys and values is the whole cost, so a task reads `keys`
/// rows of both, whole and in order, and its share of the softmax is joined with the others' afterwards.
template <class T, dim_t D, class Drops = KeepAll>
struct FewTokensAttention {
  using Head = HeadRow<T, D>;
  static constexpr dim_t keys = 32;
  static constexpr dim_t share = D + 2;  // sum_j m_j 2^{s_j - top} v_j, top, sum_j 2^{s_j - top}

  AttentionRow<T, D, Drops> op;
  T* shares = nullptr;  // (Batch, pieces, Time, heads, share)
  dim_t rows = op.history.seq.time * op.history.heads;
  dim_t pieces = (std::max<dim_t>(op.history.window - 1, 0) + op.history.seq.time + keys - 1) / keys;

  dim_t tasks() const { return op.history.seq.batch * pieces; }
  dim_t shares_size() const { return tasks() * rows * share; }

  void operator()(dim_t task) const {
    const auto& history = op.history;
    const dim_t b = task / pieces, before = history.before(b);
    const dim_t first = history.first(before, 0) + task % pieces * keys, end = std::min(first + keys, history.seq.time);
    if (first >= end) return;
    static thread_local ThreadBuffer<T> scratch;
    T *const weights = scratch.at_least(rows * keys), *const out = shares + task * rows * share;
    std::fill_n(weights, rows * keys, -std::numeric_limits<T>::infinity());
    each_seen(b, before, first, end, op.k, [&](dim_t n, dim_t j, const T* k_j) {
      weights[n * keys + j] = Head::score(op.q + (b * rows + n) * D, k_j);
    });
    for (dim_t n = 0; n < rows; ++n) softmax(weights + n * keys, out + n * share);
    each_seen(b, before, first, end, op.v, [&](dim_t n, dim_t j, const T* v_j) {
      const T kept = op.drops.template factor<T>(op.drops.template word<T>(b * rows + n), columns<T>(first + j));
      Head::add(out + n * share, T(1), weights[n * keys + j] * kept, v_j);
    });
  }

  /// Joins the shares of one row, in order.
  void combine(dim_t n) const {
    const auto& history = op.history;
    const dim_t b = n / rows, before = history.before(b);
    const dim_t seen = history.seq.time - history.first(before, 0), some = (seen + keys - 1) / keys;
    const T* const from = shares + (b * pieces * rows + n % rows) * share;
    const auto top_of = [&](dim_t i) { return from[i * rows * share + D]; };
    T top = top_of(0), total = 0, *const y = op.y + n * D;
    for (dim_t i = 1; i < some; ++i) top = math::max(top_of(i), top);
    Head::clear(y);
    for (dim_t i = 0; i < some; ++i) {
      const T weight = exp2_nonpositive(top_of(i) - top);
      Head::add(y, T(1), weight, from + i * rows * share);
      total += weight * from[i * rows * share + D + 1];
    }
    Head::each([&](auto c) { store(y, c, load(y, c) / total); });
    op.softmax.top(n) = top, op.softmax.total(n) = total;
  }

 private:
  /// f(row, key from the first, the key's numbers of that row's head) for what each token sees, key by key.
  template <class F>
  void each_seen(dim_t b, dim_t before, dim_t first, dim_t end, const Keys<const T>& of, const F& f) const {
    const auto& history = op.history;
    for (dim_t j = first; j < end; ++j) {
      const T* const key = of.row(history, b, before, j, 0);
      for (dim_t t = std::max<dim_t>(j, 0); t < history.end(j); ++t)
        for (dim_t h = 0; h < history.heads; ++h) f(t * history.heads + h, j - first, key + h * D);
    }
  }

  static void softmax(T* weights, T* out) {
    using Row = rwkv::Row<T, keys>;
    const T top = Row::max([&](auto j) { return load(weights, j); });
    Head::clear(out);
    out[D] = top;
    out[D + 1] = Row::sum([&](auto j) {
      const auto p = exp2_nonpositive(load(weights, j) - top);
      store(weights, j, p);
      return p;
    });
  }
};

}  // namespace rwkv::detail
