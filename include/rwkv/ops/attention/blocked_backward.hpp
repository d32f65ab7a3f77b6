#pragma once
#include <algorithm>

#include <rwkv/backend/thread_buffer.hpp>
#include <rwkv/ops/attention/key_gradients.hpp>
#include <rwkv/ops/attention/panel_gradients.hpp>

namespace rwkv::detail {

/// All tokens of one head, or every `pieces`-th block of them, a block of keys after the other.
///
///   S = K Q^T,   P = 2^{S - top} / total,   dP = V dY^T,   dS = P (M dP - dy . y)
///   dV += M P dY,   dK += dS Q / sqrt(D),   dQ^T += K^T dS / sqrt(D)
///
/// What a task adds to is its own, so sums come in a fixed order.
template <class T, dim_t D, class Drops = KeepAll>
struct BlockedAttentionBackward {
  using Memory = BackwardTokens<T, D>;
  using Lane = typename Memory::Lane;
  using Head = HeadRow<T, D>;
  static constexpr int wide = Memory::wide, tall = Memory::tall;
  static constexpr dim_t panels = Memory::panels, tokens = Memory::tokens;

  AttentionQueryGradient<T, D, Drops> op;
  Keys<T> dk, dv;
  dim_t pieces = 1;
  T* shares = nullptr;  // (pieces, Batch, heads, reach + Time, 2, D): dk and dv of a piece; null where there is but one

  dim_t sequences() const { return op.history.seq.batch * op.history.heads; }
  dim_t reach() const { return op.history.position ? op.history.window - 1 : 0; }
  dim_t rows() const { return reach() + op.history.seq.time; }
  dim_t shares_size() const { return pieces > 1 ? pieces * sequences() * rows() * 2 * D : 0; }
  dim_t tasks() const { return sequences() * pieces; }

  void operator()(dim_t task) const {
    const auto& history = op.history;
    const dim_t piece = task % pieces, h = task / pieces % history.heads, b = task / pieces / history.heads;
    if (shares) {
      std::fill_n(share(piece, b, h, -reach()), rows() * 2 * D, T(0));
    } else {
      for (dim_t t = 0; t < history.seq.time; ++t)
        Head::clear(dk.now + history.row(b, t, h)), Head::clear(dv.now + history.row(b, t, h));
    }
    static thread_local ThreadBuffer<T> scratch;
    const Memory memory(scratch.at_least(Memory::size));
    for (dim_t t = piece * tokens; t < history.seq.time; t += pieces * tokens)
      block_of_tokens(memory, piece, b, h, t, std::min(t + tokens, history.seq.time));
  }

  /// dk and dv of one row of one head, the pieces in order.
  void add_shares(dim_t n) const {
    const auto& history = op.history;
    const dim_t j = n % rows() - reach(), h = n / rows() % history.heads, b = n / rows() / history.heads;
    const dim_t before = history.before(b);
    if (j < -before) return;
    T *dk_j = dk.row(history, b, before, j, h), *dv_j = dv.row(history, b, before, j, h);
    if (j >= 0) Head::clear(dk_j), Head::clear(dv_j);
    for (dim_t piece = 0; piece < pieces; ++piece) {
      const T* from = share(piece, b, h, j);
      Head::add(dk_j, T(1), T(1), from);
      Head::add(dv_j, T(1), T(1), from + D);
    }
  }

 private:
  T* share(dim_t piece, dim_t b, dim_t h, dim_t j) const {
    return shares + (((piece * op.history.seq.batch + b) * op.history.heads + h) * rows() + reach() + j) * 2 * D;
  }

  void block_of_tokens(const Memory& memory, dim_t piece, dim_t b, dim_t h, dim_t first, dim_t end) const {
    const auto& history = op.history;
    const dim_t before = history.before(b), row = history.heads * D, start = history.row(b, first, h);
    const PanelWords<T, Drops, panels> words(op.drops, history, b, h, first, end);
    memory.gather(op, start, end - first, row);
    each_key_block(history, before, history.first(before, first), end, Memory::keys, [&](const KeyBlock& block) {
      // rows of one head lie far apart, in few sets of a cache
      copy_rows<T, D>(op.k.row(history, b, before, block.first, h), row, block.count, memory.k);
      copy_rows<T, D>(op.v.row(history, b, before, block.first, h), row, block.count, memory.v);
      KeyBlock computed[panels];  // whole tiles of keys from the block's first
      for (dim_t p = 0; p < panels; ++p) {
        const dim_t t = first + p * wide;
        const Panel<T> panel{t, history.window, std::min(t + wide, end) - 1};
        const KeyBlock seen = t < end ? panel.seen(block, history.first(before, t)) : KeyBlock{block.first, 0};
        const dim_t from = (seen.first - block.first) / tall * tall;
        const dim_t to = std::min((seen.end() - block.first + tall - 1) / tall * tall, block.count);
        computed[p] = {from, seen.count > 0 ? to - from : 0};
        if (seen.count > 0) PanelGradients<T, D, Drops>::add(memory, p, panel, words.of(p), block.first, computed[p]);
      }
      KeyGradients<T, D> out{dk.row(history, b, before, block.first, h), dv.row(history, b, before, block.first, h),
                             row};
      if (shares) {
        T* const own = share(piece, b, h, block.first);
        out = {own, own + D, 2 * D};
      }
      out.add(memory, block.count, computed);
    });
    const T scale = T(1) / math::sqrt(T(D));
    for (dim_t p = 0, t = first; t < end; ++p, t += wide)
      Lane::transpose(D, std::min<dim_t>(wide, end - t), memory.dq_lanes + p * D * wide, wide,
                      op.dq + start + p * wide * row, row, scale);
  }
};

}  // namespace rwkv::detail
