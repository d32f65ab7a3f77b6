#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/attention/exp2.hpp>
#include <rwkv/ops/attention/head_row.hpp>
#include <rwkv/ops/attention/history.hpp>
#include <rwkv/ops/dropout.hpp>

// Attention a row at a time, on every machine: the definition that faster kernels are compared with. m is what dropout
// makes of a weight, 1 without it.
//
//   s_tj = q_t . k_j log2 e / sqrt(D),   top_t = max_j s_tj,   total_t = sum_j 2^{s_tj - top_t}
//   p_tj = 2^{s_tj - top_t} / total_t,   y_t = sum_j m_tj p_tj v_j
//   dp_tj = m_tj dy_t . v_j,   ds_tj = p_tj (dp_tj - dy_t . y_t) / sqrt(D)
//   dq_t = sum_j ds_tj k_j,   dk_j = sum_t ds_tj q_t,   dv_j = sum_t m_tj p_tj dy_t
//
// A score of 1e4 is off by 1e-3 in float, and so is the logarithm of a denominator. The backward pass therefore reads
// top and total, and makes the very scores of the forward pass: where one weight is 1, it is so exactly, whatever its
// score.
namespace rwkv::detail {

/// What one token of one head reads and writes. Online softmax (Milakov and Gimelshein, arXiv 1805.02867). Where T is
/// stored in reduced precision, these are operands alone.
template <class T, dim_t D, class Drops = KeepAll>
struct AttentionRow {
  History<compute_of<T>> history;
  const T* q;
  Keys<const T> k, v;
  T* y;
  Softmax<compute_of<T>> softmax;
  Drops drops{};

  RWKV_HD void operator()(dim_t n) const {
    using Head = HeadRow<T, D>;
    const dim_t h = n % history.heads, t = n / history.heads % history.seq.time;
    const dim_t b = n / history.heads / history.seq.time, before = history.before(b);
    const auto word = drops.template word<T>(n);
    T top = std::numeric_limits<T>::lowest(), total = 0, *const y_t = y + n * D;
    Head::clear(y_t);
    for (dim_t j = history.first(before, t); j <= t; ++j) {
      const T s = Head::score(q + n * D, k.row(history, b, before, j, h));
      const T higher = math::max(s, top), old = exp2_nonpositive(top - higher), p = exp2_nonpositive(s - higher);
      Head::add(y_t, old, p * drops.template factor<T>(word, columns<T>(j)), v.row(history, b, before, j, h));
      total = total * old + p, top = higher;
    }
    Head::each([&](auto c) { store(y_t, c, load(y_t, c) / total); });
    softmax.top(n) = top, softmax.total(n) = total;
  }
};

/// dq of one token of one head, and its dy . y for the keys. Operands alone as AttentionRow.
template <class T, dim_t D, class Drops = KeepAll>
struct AttentionQueryGradient {
  History<compute_of<T>> history;
  const T* q;
  Keys<const T> k, v;
  const T* y;
  Softmax<compute_of<const T>> softmax;
  const T* dy;
  T* dq;
  compute_of<T>* along;
  Drops drops{};

  RWKV_HD void operator()(dim_t n) const {
    using Head = HeadRow<T, D>;
    const dim_t h = n % history.heads, t = n / history.heads % history.seq.time;
    const dim_t b = n / history.heads / history.seq.time, before = history.before(b);
    const T scale = T(1) / math::sqrt(T(D)), along_y = Head::dot(dy + n * D, y + n * D);
    const auto word = drops.template word<T>(n);
    along[n] = along_y;
    Head::clear(dq + n * D);
    for (dim_t j = history.first(before, t); j <= t; ++j) {
      const T* k_j = k.row(history, b, before, j, h);
      const T p = exp2_nonpositive(Head::score(q + n * D, k_j) - softmax.top(n)) / softmax.total(n);
      const T dp =
          Head::dot(dy + n * D, v.row(history, b, before, j, h)) * drops.template factor<T>(word, columns<T>(j));
      Head::add(dq + n * D, T(1), p * (dp - along_y) * scale, k_j);
    }
  }
};

/// dk and dv of one key of one head, added to.
template <class T, dim_t D, class Drops = KeepAll>
struct AttentionKeyGradient {
  History<T> history;
  bool cached;  // the rows of the ring, or those of the call
  const T* q;
  Keys<const T> k, v;
  Softmax<const T> softmax;
  const T *dy, *along;
  Keys<T> dk, dv;
  Drops drops{};

  RWKV_HD void operator()(dim_t row) const {
    using Head = HeadRow<T, D>;
    const dim_t rows = cached ? history.window : history.seq.time;
    const dim_t h = row % history.heads, r = row / history.heads % rows, b = row / history.heads / rows;
    const dim_t before = history.before(b);
    const dim_t j = cached ? r - before + (before - 1 - r) / history.window * history.window : r;
    if (cached && r >= before) return;  // a row that was never written
    const T scale = T(1) / math::sqrt(T(D));
    const T *k_j = k.row(history, b, before, j, h), *v_j = v.row(history, b, before, j, h);
    T *dk_j = dk.row(history, b, before, j, h), *dv_j = dv.row(history, b, before, j, h);
    for (dim_t t = j < 0 ? 0 : j; t < history.end(j); ++t) {
      const dim_t i = history.row(b, t, h), n = i / D;
      const T p = exp2_nonpositive(Head::score(q + i, k_j) - softmax.top(n)) / softmax.total(n);
      const T kept = drops.template factor<T>(drops.template word<T>(n), columns<T>(j));
      Head::add(dv_j, T(1), p * kept, dy + i);
      Head::add(dk_j, T(1), p * (Head::dot(dy + i, v_j) * kept - along[n]) * scale, q + i);
    }
  }
};

/// Attention by rows. The scratch of every attention may be of a machine that shortens B's scalars.
template <class B, dim_t D>
struct ReferenceAttention {
  using T = typename B::scalar;

  template <class Drops = KeepAll>
  static void forward(auto&, const AttentionRow<T, D, Drops>& op) {
    B::for_each_row(op.history.seq.tokens() * op.history.heads, op);
  }
  template <class Drops = KeepAll>
  static void backward(auto& scratch, AttentionQueryGradient<T, D, Drops> op, Keys<T> dk, Keys<T> dv) {
    const auto& history = op.history;
    const dim_t rows = history.seq.tokens() * history.heads;
    const auto frame = scratch.frame();
    op.along = scratch.accum(rows);
    B::for_each_row(rows, op);
    B::fill(dk.now, rows * D, T(0));
    B::fill(dv.now, rows * D, T(0));
    AttentionKeyGradient<T, D, Drops> keys{history, false,    op.q, op.k, op.v,    op.softmax,
                                           op.dy,   op.along, dk,   dv,   op.drops};
    B::for_each_row(rows, keys);
    keys.cached = true;
    if (history.position) B::for_each_row(history.seq.batch * history.window * history.heads, keys);
  }
};

}  // namespace rwkv::detail
