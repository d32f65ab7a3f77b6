#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/attention/history.hpp>
#include <rwkv/ops/rows.hpp>

// Attention a row at a time, on every machine: the definition that faster kernels are compared with.
//
//   s_tj = q_t . k_j / sqrt(D),   p_tj = e^{s_tj - log_sum_t},   y_t = sum_j p_tj v_j
//   dp_tj = dy_t . v_j,   ds_tj = p_tj (dp_tj - dy_t . y_t) / sqrt(D)
//   dq_t = sum_j ds_tj k_j,   dk_j = sum_t ds_tj q_t,   dv_j = sum_t p_tj dy_t
namespace rwkv::detail {

/// The product of two rows of D numbers, and adding to one.
template <class T, dim_t D>
struct HeadRow : Row<T, D> {
  static RWKV_HD T dot(const T* a, const T* b) {
    return Row<T, D>::sum([&](auto c) { return load(a, c) * load(b, c); });
  }
  static RWKV_HD void clear(T* to) {
    Row<T, D>::each([&](auto c) { store(to, c, At<T, decltype(c)>{}); });
  }
  /// to = old to + weight x
  static RWKV_HD void add(T* to, T old, T weight, const T* x) {
    Row<T, D>::each([&](auto c) { store(to, c, load(to, c) * old + load(x, c) * weight); });
  }
};

/// What one token of one head reads and writes. Online softmax (Milakov and Gimelshein, arXiv 1805.02867).
template <class T, dim_t D>
struct AttentionRow {
  History<T> history;
  const T* q;
  Keys<const T> k, v;
  T *y, *log_sum;

  RWKV_HD void operator()(dim_t n) const {
    using Head = HeadRow<T, D>;
    const dim_t h = n % history.heads, t = n / history.heads % history.seq.time;
    const dim_t b = n / history.heads / history.seq.time, before = history.before(b);
    const T scale = T(1) / math::sqrt(T(D));
    T top = std::numeric_limits<T>::lowest(), total = 0, *const y_t = y + n * D;
    Head::clear(y_t);
    for (dim_t j = history.first(before, t); j <= t; ++j) {
      const T s = Head::dot(q + n * D, k.row(history, b, before, j, h)) * scale;
      const T higher = math::max(s, top), old = math::exp(top - higher), p = math::exp(s - higher);
      Head::add(y_t, old, p, v.row(history, b, before, j, h));
      total = total * old + p, top = higher;
    }
    Head::each([&](auto c) { store(y_t, c, load(y_t, c) / total); });
    log_sum[n] = top + math::log(total);
  }
};

/// dq of one token of one head, and its dy . y for the keys.
template <class T, dim_t D>
struct AttentionQueryGradient {
  History<T> history;
  const T* q;
  Keys<const T> k, v;
  const T *y, *log_sum, *dy;
  T *dq, *along;

  RWKV_HD void operator()(dim_t n) const {
    using Head = HeadRow<T, D>;
    const dim_t h = n % history.heads, t = n / history.heads % history.seq.time;
    const dim_t b = n / history.heads / history.seq.time, before = history.before(b);
    const T scale = T(1) / math::sqrt(T(D)), along_y = Head::dot(dy + n * D, y + n * D);
    along[n] = along_y;
    Head::clear(dq + n * D);
    for (dim_t j = history.first(before, t); j <= t; ++j) {
      const T* k_j = k.row(history, b, before, j, h);
      const T p = math::exp(Head::dot(q + n * D, k_j) * scale - log_sum[n]);
      const T dp = Head::dot(dy + n * D, v.row(history, b, before, j, h));
      Head::add(dq + n * D, T(1), p * (dp - along_y) * scale, k_j);
    }
  }
};

/// dk and dv of one key of one head, added to.
template <class T, dim_t D>
struct AttentionKeyGradient {
  History<T> history;
  bool past;  // the rows of the ring, or those of the call
  const T* q;
  Keys<const T> k, v;
  const T *log_sum, *dy, *along;
  Keys<T> dk, dv;

  RWKV_HD void operator()(dim_t n) const {
    using Head = HeadRow<T, D>;
    const dim_t rows = past ? history.window : history.seq.time;
    const dim_t h = n % history.heads, r = n / history.heads % rows, b = n / history.heads / rows;
    const dim_t before = history.before(b);
    const dim_t j = past ? r - before + (before - 1 - r) / history.window * history.window : r;
    if (past && r >= before) return;  // a row that was never written
    const T scale = T(1) / math::sqrt(T(D));
    const T *k_j = k.row(history, b, before, j, h), *v_j = v.row(history, b, before, j, h);
    T *dk_j = dk.row(history, b, before, j, h), *dv_j = dv.row(history, b, before, j, h);
    for (dim_t t = j < 0 ? 0 : j; t < history.end(j); ++t) {
      const dim_t i = history.row(b, t, h), of_row = i / D;
      const T p = math::exp(Head::dot(q + i, k_j) * scale - log_sum[of_row]);
      const T dp = Head::dot(dy + i, v_j);
      Head::add(dv_j, T(1), p, dy + i);
      Head::add(dk_j, T(1), p * (dp - along[of_row]) * scale, q + i);
    }
  }
};

/// Attention by rows.
template <class B, dim_t D>
struct ReferenceAttention {
  using T = typename B::scalar;

  static void forward(rwkv::Scratch<B>&, const AttentionRow<T, D>& op) {
    B::for_each_row(op.history.seq.tokens() * op.history.heads, op);
  }
  static void backward(rwkv::Scratch<B>& scratch, AttentionQueryGradient<T, D> op, Keys<T> dk, Keys<T> dv) {
    const auto& history = op.history;
    const dim_t rows = history.seq.tokens() * history.heads;
    const auto frame = scratch.frame();
    op.along = scratch.take(rows);
    B::for_each_row(rows, op);
    B::fill(dk.now, rows * D, T(0));
    B::fill(dv.now, rows * D, T(0));
    AttentionKeyGradient<T, D> keys{history, false, op.q, op.k, op.v, op.log_sum, op.dy, op.along, dk, dv};
    B::for_each_row(rows, keys);
    keys.past = true;
    if (history.position) B::for_each_row(history.seq.batch * history.window * history.heads, keys);
  }
};

}  // namespace rwkv::detail
