#pragma once
#include <algorithm>

#include <rwkv/backend/product.hpp>
#include <rwkv/ops/attention/panel.hpp>
#include <rwkv/ops/attention/reference.hpp>

namespace rwkv::detail {

/// Where a task adds its dk and dv: rows of D numbers, `row` apart; the first is that of key `first`.
template <class T>
struct KeyGradients {
  T *dk, *dv;
  dim_t row;
};

/// All tokens of one head, or every `pieces`-th block of them, a block of keys after the other.
///
///   S = K Q^T,   P = 2^{S - log_sum},   dP = V dY^T,   dS = P (dP - dy . y)
///   dV += P dY,   dK += dS Q / sqrt(D),   dQ^T += K^T dS / sqrt(D)
///
/// Scores and log_sum are held times log2 e. What a task adds to is its own, so sums come in a fixed order.
template <class T, dim_t D>
struct BlockedAttentionBackward {
  using Lane = Tile<T>;
  using L = typename Lane::L;
  using Head = HeadRow<T, D>;
  static constexpr int W = Lane::W, wide = Lane::wide, tall = Lane::tall;
  static constexpr dim_t panels = 6, tokens = panels * wide, keys = 96;
  static constexpr dim_t padded = (D + W - 1) / W * W;
  static constexpr T log2_e = T(1.44269504088896340736);

  AttentionQueryGradient<T, D> op;
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
    static thread_local Scratch<T> scratch;
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
  struct Memory {
    static constexpr dim_t lanes = tokens * D, square = keys * tokens;
    static constexpr dim_t size = 3 * lanes + 2 * tokens * padded + 2 * square + 2 * tokens + 2 * keys * D;
    T *q_lanes, *dy_lanes, *dq_lanes;  // (panels, D, wide): q times log2 e / sqrt(D), dy, and dq times sqrt(D)
    T *weights, *dscores;              // (keys, tokens): P and dS
    T *q, *dy;                         // (tokens, padded): q / sqrt(D) and dy
    T *log_sum, *along;                // (tokens): times log2 e; dy . y
    T *k, *v;                          // (keys, D)
    explicit Memory(T* p)
        : q_lanes(p),
          dy_lanes(q_lanes + lanes),
          dq_lanes(dy_lanes + lanes),
          weights(dq_lanes + lanes),
          dscores(weights + square),
          q(dscores + square),
          dy(q + tokens * padded),
          log_sum(dy + tokens * padded),
          along(log_sum + tokens),
          k(along + tokens),
          v(k + keys * D) {}
  };

  T* share(dim_t piece, dim_t b, dim_t h, dim_t j) const {
    return shares + (((piece * op.history.seq.batch + b) * op.history.heads + h) * rows() + reach() + j) * 2 * D;
  }

  void block_of_tokens(const Memory& memory, dim_t piece, dim_t b, dim_t h, dim_t first, dim_t end) const {
    const auto& history = op.history;
    const dim_t before = history.before(b), row = history.heads * D, start = history.row(b, first, h);
    const T scale = T(1) / math::sqrt(T(D));
    gather(memory, start, end - first, row, scale);
    each_key_block(history, before, history.first(before, first), end, keys, [&](const KeyBlock& block) {
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
        if (seen.count > 0) scores(memory, p, panel, block, computed[p]);
      }
      KeyGradients<T> out{dk.row(history, b, before, block.first, h), dv.row(history, b, before, block.first, h), row};
      if (shares) {
        T* const own = share(piece, b, h, block.first);
        out = {own, own + D, 2 * D};
      }
      key_gradients(memory, block.count, computed, out);
    });
    for (dim_t p = 0, t = first; t < end; ++p, t += wide)
      Lane::transpose(D, std::min<dim_t>(wide, end - t), memory.dq_lanes + p * D * wide, wide,
                      op.dq + start + p * wide * row, row, scale);
  }

  /// What the tokens bring along, as rows and as lanes.
  void gather(const Memory& memory, dim_t start, dim_t count, dim_t row, T scale) const {
    if (count < tokens || padded > D) {
      std::fill_n(memory.q_lanes, 2 * Memory::lanes, T(0));
      std::fill_n(memory.q, 2 * tokens * padded, T(0));
      std::fill_n(memory.log_sum, 2 * tokens, T(0));
    }
    std::fill_n(memory.dq_lanes, Memory::lanes, T(0));
    for (dim_t l = 0; l < count; ++l) {
      const dim_t i = start + l * row;
      Head::each([&](auto c) {
        store(memory.q + l * padded, c, load(op.q + i, c) * scale);
        store(memory.dy + l * padded, c, load(op.dy + i, c));
      });
      memory.log_sum[l] = op.log_sum[i / D] * log2_e;
      memory.along[l] = Head::dot(op.dy + i, op.y + i);
    }
    for (dim_t p = 0; p * wide < count; ++p) {
      const dim_t some = std::min<dim_t>(wide, count - p * wide), i = start + p * wide * row, to = p * D * wide;
      Lane::transpose(some, D, op.q + i, row, memory.q_lanes + to, wide, scale * log2_e);
      Lane::transpose(some, D, op.dy + i, row, memory.dy_lanes + to, wide, T(1));
    }
  }

  /// P, dS and dQ of a panel.
  void scores(const Memory& memory, dim_t p, const Panel<T>& panel, const KeyBlock& block, const KeyBlock& some) const {
    const dim_t lanes = p * D * wide, at = some.first * tokens + p * wide;
    const T *k = memory.k + some.first * D, *v = memory.v + some.first * D;
    T *weights = memory.weights + at, *dscores = memory.dscores + at;
    Lane::template rows<tall>(
        some.count, [&]<int n>(dim_t j) { score<n>(memory.q_lanes + lanes, k + j * D, weights + j * tokens); });
    exponentials(some.count, memory.log_sum + p * wide, weights);
    const KeyBlock global{block.first + some.first, some.count};
    if (panel.cuts(global))
      for (dim_t j = 0; j < some.count; ++j)
        panel.each_pack(global.first + j, [&](int s, const auto& choose) {
          T* const w = weights + j * tokens;
          store(w, Lanes<W>{s}, choose(load(w, Lanes<W>{s}), L{}));
        });
    Lane::template rows<tall>(some.count, [&]<int n>(dim_t j) {
      dscore<n>(memory.dy_lanes + lanes, v + j * D, memory.along + p * wide, weights + j * tokens,
                dscores + j * tokens);
    });
    Lane::template rows<tall>(
        D, [&]<int n>(dim_t c) { dquery<n>(some.count, k + c, dscores, memory.dq_lanes + lanes + c * wide); });
  }

  template <int some>
  [[gnu::noinline]] static void score(const T* q, const T* k, T* to) {
    L total[some][Lane::packs];
    Lane::multiply(D, k, D, 1, q, wide, total);
#pragma GCC unroll 16
    for (int r = 0; r < some; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < Lane::packs; ++s) store(to + r * tokens, Lanes<W>{s * W}, total[r][s]);
  }
  [[gnu::noinline]] static void exponentials(dim_t count, const T* log_sum, T* weights) {
    L sum[Lane::packs];
#pragma GCC unroll 4
    for (int s = 0; s < Lane::packs; ++s) sum[s] = load(log_sum, Lanes<W>{s * W});
    for (dim_t j = 0; j < count; ++j, weights += tokens)
#pragma GCC unroll 4
      for (int s = 0; s < Lane::packs; ++s) {
        const Lanes<W> at{s * W};
        store(weights, at, exp2_nonpositive(load(weights, at) - sum[s]));
      }
  }
  template <int some>
  [[gnu::noinline]] static void dscore(const T* dy, const T* v, const T* along, const T* weights, T* to) {
    L total[some][Lane::packs];
    Lane::multiply(D, v, D, 1, dy, wide, total);
#pragma GCC unroll 4
    for (int s = 0; s < Lane::packs; ++s) {
      const Lanes<W> at{s * W};
      const L of_y = load(along, at);
#pragma GCC unroll 16
      for (int r = 0; r < some; ++r) store(to + r * tokens, at, load(weights + r * tokens, at) * (total[r][s] - of_y));
    }
  }
  template <int some>
  [[gnu::noinline]] static void dquery(dim_t count, const T* k, const T* dscores, T* dq) {
    L total[some][Lane::packs];
    Lane::multiply(count, k, 1, D, dscores, tokens, total);
#pragma GCC unroll 16
    for (int r = 0; r < some; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < Lane::packs; ++s) {
        const Lanes<W> at{s * W};
        store(dq + r * wide, at, load(dq + r * wide, at) + total[r][s]);
      }
  }

  /// dK and dV of a block of keys, from the panels whose weights were computed.
  static void key_gradients(const Memory& memory, dim_t count, const KeyBlock (&computed)[panels],
                            const KeyGradients<T>& out) {
    dim_t from[(keys + tall - 1) / tall], depth[(keys + tall - 1) / tall];
    for (dim_t j = 0; j < count; j += tall) {
      const auto has = [&](dim_t p) { return computed[p].first <= j && j < computed[p].end(); };
      dim_t p = 0, end = panels;
      while (p < end && !has(p)) ++p;
      while (end > p && !has(end - 1)) --end;
      from[j / tall] = p * wide, depth[j / tall] = (end - p) * wide;
    }
    constexpr dim_t columns = padded / (Lane::packs * W) * (Lane::packs * W);
    const auto some_columns = [&]<int across>(dim_t c) {
      Lane::template rows<tall>(count, [&]<int n>(dim_t j) {
        const dim_t l = from[j / tall], steps = depth[j / tall], at = j * tokens + l;
        constexpr dim_t width = across * W;
        if (D - c >= width) {
          add<n, across>(steps, memory.weights + at, memory.dy + l * padded + c, out.dv + j * out.row + c, out.row);
          add<n, across>(steps, memory.dscores + at, memory.q + l * padded + c, out.dk + j * out.row + c, out.row);
        } else {
          alignas(64) T whole[2][tall * width]{};
          add<n, across>(steps, memory.weights + at, memory.dy + l * padded + c, whole[0], width);
          add<n, across>(steps, memory.dscores + at, memory.q + l * padded + c, whole[1], width);
          for (dim_t r = 0; r < n; ++r)
            for (dim_t i = c; i < D; ++i) {
              out.dv[(j + r) * out.row + i] += whole[0][r * width + i - c];
              out.dk[(j + r) * out.row + i] += whole[1][r * width + i - c];
            }
        }
      });
    };
    for (dim_t c = 0; c < columns; c += Lane::packs * W) some_columns.template operator()<Lane::packs>(c);
    for (dim_t c = columns; c < padded; c += W) some_columns.template operator()<1>(c);
  }
  template <int some, int across>
  [[gnu::noinline]] static void add(dim_t depth, const T* a, const T* b, T* to, dim_t row) {
    L total[some][across];
#pragma GCC unroll 16
    for (int r = 0; r < some; ++r) prefetch(to, Lanes<W>{r * row});
    Lane::multiply(depth, a, tokens, 1, b, padded, total);
#pragma GCC unroll 16
    for (int r = 0; r < some; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < across; ++s) {
        const Lanes<W> at{s * W};
        store(to + r * row, at, load(to + r * row, at) + total[r][s]);
      }
  }
};

}  // namespace rwkv::detail
