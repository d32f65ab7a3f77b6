#pragma once
#include <limits>

#include <rwkv/backend/thread_buffer.hpp>
#include <rwkv/ops/attention/panel.hpp>
#include <rwkv/ops/attention/reference.hpp>

namespace rwkv::detail {

/// A block of tokens of one head before all keys that they see, a block of keys after the other (FlashAttention, arXiv
/// 2205.14135, with keys as rows and tokens as lanes: maxima and sums need no crossing of lanes).
///
///   S = K Q^T,   P = 2^{S - top},   Y^T = Y^T 2^{old top - top} + V^T (M P)
template <class T, dim_t D, class Drops = KeepAll>
struct BlockedAttention {
  using Lane = Tile<T>;
  using L = typename Lane::L;
  static constexpr int W = Lane::W, wide = Lane::wide, tall = Lane::tall;
  static constexpr dim_t panels = 12, tokens = panels * wide, keys = 96;

  AttentionRow<T, D, Drops> op;
  dim_t blocks = (op.history.seq.time + tokens - 1) / tokens;  // of tokens

  dim_t tasks() const { return op.history.seq.batch * op.history.heads * blocks; }

  void operator()(dim_t task) const {
    const auto& history = op.history;
    const dim_t first = task % blocks * tokens, h = task / blocks % history.heads, b = task / blocks / history.heads;
    const dim_t end = std::min(first + tokens, history.seq.time), before = history.before(b);
    const dim_t row = history.heads * D;
    static thread_local ThreadBuffer<T> scratch;
    T* const memory = scratch.at_least((panels * rows + keys) * wide + 2 * keys * D);
    T *const weights = memory + panels * rows * wide, *const k = weights + keys * wide, *const v = k + keys * D;

    const PanelWords<T, Drops, panels> words(op.drops, history, b, h, first, end);
    for (dim_t p = 0, t = first; t < end; ++p, t += wide)
      start(memory + p * rows * wide, op.q + history.row(b, t, h), row, std::min<dim_t>(wide, end - t));
    each_key_block(history, before, history.first(before, first), end, keys, [&](const KeyBlock& block) {
      // rows of one head lie far apart, in few sets of a cache
      copy_rows<T, D>(op.k.row(history, b, before, block.first, h), row, block.count, k);
      copy_rows<T, D>(op.v.row(history, b, before, block.first, h), row, block.count, v);
      for (dim_t p = 0, t = first; t < end; ++p, t += wide) {
        const Panel<T> panel{t, history.window, std::min(t + wide, end) - 1};
        const KeyBlock seen = panel.seen(block, history.first(before, t));
        if (seen.count == 0) continue;
        const dim_t skip = (seen.first - block.first) * D;
        if (panel.cuts(seen))
          step<true>(memory + p * rows * wide, panel, seen, k + skip, v + skip, weights, words.of(p));
        else
          step<false>(memory + p * rows * wide, panel, seen, k + skip, v + skip, weights, words.of(p));
      }
    });
    for (dim_t p = 0, t = first; t < end; ++p, t += wide)
      finish(memory + p * rows * wide, std::min<dim_t>(wide, end - t), op.y + history.row(b, t, h), row,
             history.row(b, t, h) / D);
  }

 private:
  // A panel's state, in rows of `wide` lanes: queries, outputs, and one row each of the following.
  static constexpr dim_t queries = 0, outputs = D, tops = 2 * D, totals = tops + 1, olds = tops + 2, rows = tops + 3;

  static void start(T* panel, const T* q, dim_t row, dim_t count) {
    if (count < wide) std::fill_n(panel, D * wide, T(0));
    Lane::transpose(count, D, q, row, panel, wide, query_scale<T>(D));
    std::fill_n(panel + outputs * wide, D * wide, T(0));
    std::fill_n(panel + tops * wide, wide, std::numeric_limits<T>::lowest());
    std::fill_n(panel + totals * wide, wide, T(0));
  }

  template <bool cut>
  static void step(T* state, const Panel<T>& panel, const KeyBlock& seen, const T* k, const T* v, T* weights,
                   const RandomWord<T>* words) {
    constexpr T never = -std::numeric_limits<T>::infinity();
    alignas(64) T higher[wide];
    std::copy_n(state + tops * wide, wide, higher);
    Lane::template rows<tall>(seen.count, [&]<int some>(dim_t j) {
      scores<some, !cut>(state + queries * wide, k + j * D, weights + j * wide, higher);
    });
    if constexpr (cut)
      for (dim_t j = 0; j < seen.count; ++j)
        panel.each_pack(seen.first + j, [&](int s, const auto& choose) {
          const L score = choose(load(weights + j * wide, Lanes<W>{s}), L{} + never);
          store(weights + j * wide, Lanes<W>{s}, score);
          store(higher, Lanes<W>{s}, math::max(score, load(higher, Lanes<W>{s})));
        });
    exponentials<cut>(state, seen, higher, weights, words);
    Lane::template rows<tall>(D, [&]<int some>(dim_t c) {
      add<some>(seen.count, v + c, weights, state + olds * wide, state + (outputs + c) * wide);
    });
  }

  /// Scores of some keys, and the tops that they lift.
  template <int some, bool lift>
  [[gnu::noinline]] static void scores(const T* q, const T* k, T* to, T* top) {
    L total[some][Lane::packs];
    Lane::multiply(D, k, D, 1, q, wide, total);
#pragma GCC unroll 4
    for (int s = 0; s < Lane::packs; ++s) {
      L most = load(top, Lanes<W>{s * W});
#pragma GCC unroll 16
      for (int r = 0; r < some; ++r) {
        store(to + r * wide, Lanes<W>{s * W}, total[r][s]);
        most = math::max(total[r][s], most);
      }
      if constexpr (lift) store(top, Lanes<W>{s * W}, most);
    }
  }

  /// Scores become weights; the state's tops and totals follow.
  template <bool cut>
  [[gnu::noinline]] static void exponentials(T* state, const KeyBlock& seen, const T* higher, T* weights,
                                             [[maybe_unused]] const RandomWord<T>* words) {
    constexpr T never = -std::numeric_limits<T>::infinity();
    L top[Lane::packs], total[Lane::packs];
#pragma GCC unroll 4
    for (int s = 0; s < Lane::packs; ++s) {
      const Lanes<W> at{s * W};
      top[s] = load(higher, at);
      const L old = exp2_nonpositive(load(state + tops * wide, at) - top[s]);
      total[s] = load(state + totals * wide, at) * old;
      store(state + olds * wide, at, old);
      store(state + tops * wide, at, top[s]);
    }
    for (dim_t j = seen.first; j < seen.end(); ++j, weights += wide)
#pragma GCC unroll 4
      for (int s = 0; s < Lane::packs; ++s) {
        const L score = load(weights, Lanes<W>{s * W});
        L p = exp2_nonpositive(score - top[s]);
        if constexpr (cut) p = score == L{} + never ? L{} : p;
        total[s] += p;
        if constexpr (Drops::any) p = p * kept<L, Drops>(words + s * W, j);
        store(weights, Lanes<W>{s * W}, p);
      }
#pragma GCC unroll 4
    for (int s = 0; s < Lane::packs; ++s) store(state + totals * wide, Lanes<W>{s * W}, total[s]);
  }

  /// to = to old + V^T P for some channels.
  template <int some>
  [[gnu::noinline]] static void add(dim_t count, const T* v, const T* weights, const T* old, T* to) {
    L total[some][Lane::packs];
    Lane::multiply(count, v, 1, D, weights, wide, total);
#pragma GCC unroll 16
    for (int r = 0; r < some; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < Lane::packs; ++s) {
        const Lanes<W> at{s * W};
        store(to + r * wide, at, load(to + r * wide, at) * load(old, at) + total[r][s]);
      }
  }

  void finish(T* panel, dim_t count, T* y, dim_t row, dim_t n) const {
    for (int s = 0; s < wide; s += W) {
      const Lanes<W> at{s};
      const L total = load(panel + totals * wide, at), share = T(1) / total;
      for (dim_t c = 0; c < D; ++c) {
        T* const to = panel + (outputs + c) * wide;
        store(to, at, load(to, at) * share);
      }
    }
    Lane::transpose(D, count, panel + outputs * wide, wide, y, row, T(1));
    for (dim_t l = 0; l < count; ++l, n += op.history.heads)
      op.softmax.top(n) = panel[tops * wide + l], op.softmax.total(n) = panel[totals * wide + l];
  }
};

}  // namespace rwkv::detail
