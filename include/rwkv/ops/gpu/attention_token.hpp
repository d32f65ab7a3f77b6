#pragma once
#include <rwkv/ops/attention/reference.hpp>
#include <rwkv/ops/gpu/attention_tile.hpp>

namespace rwkv::detail::grid {

/// One token of one head, before the keys that it sees or one of `pieces` of them, for calls of few tokens: a thread to
/// a key for the scores, made as AttentionForward makes them, to the bit, and a thread to a channel for y.
template <class T, dim_t D, class Drops>
struct AttentionToken {
  static constexpr int columns = D * sizeof(T) <= 256 ? 64 : 32;  // keys at a time
  using Tile = MovingTile<T, D, columns, 256>;
  static constexpr int threads = Tile::threads, padded = Tile::padded;
  static constexpr int groups = threads / padded;  // of threads, which share the keys
  AttentionRow<T, D, Drops> op;
  dim_t pieces = 1;
  T* shares = nullptr;  // (Batch, Time, heads, pieces, D + 2), see JoinPieces; null where there is but one

  /// So many that the machine is filled, of some length, known from the shape alone.
  static dim_t pieces_of(const AttentionRow<T, D, Drops>& op) {
    const dim_t rows = op.history.seq.tokens() * op.history.heads, keys = op.history.window;
    const dim_t long_enough = (keys + least_keys - 1) / least_keys, fill = most_blocks / (rows > 0 ? rows : 1);
    return fill < 1 ? 1 : fill < long_enough ? fill : long_enough;
  }
  dim_t shares_size() const { return pieces > 1 ? blocks() * (D + 2) : 0; }
  dim_t blocks() const { return op.history.seq.tokens() * op.history.heads * pieces; }

  struct Memory {
    alignas(16) T moving[columns * Tile::stride];
    alignas(16) T q[padded];
    T weight[columns];
    T sums[groups][padded];
  };
  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    auto& memory = here.template shared<Memory>();
    const Tile my(here.thread());
    const History<T>& history = op.history;
    const dim_t n = quotient(here.index(), pieces), piece = here.index() - n * pieces, row = n * D;
    const dim_t token = quotient(n, history.heads), b = quotient(token, history.seq.time);
    const HeadTile at{n - token * history.heads, b, 0};
    const dim_t t = token - b * history.seq.time, before = history.before(b);
    const dim_t oldest = history.first(before, t), each = quotient(t - oldest, pieces) / columns * columns + columns;
    const dim_t first = oldest + piece * each < t + 1 ? oldest + piece * each : t + 1;
    const dim_t end = first + each < t + 1 ? first + each : t + 1;
    const KeyRows<T> key(history, op.k, at, before, first), value(history, op.v, at, before, first);
    typename Tile::Fetched moving;
    my.fetch(moving, key, first, end);
    if (my.thread < padded) memory.q[my.thread] = my.thread < D ? op.q[row + my.thread] * query_scale<T>(D) : T(0);
    [[maybe_unused]] const auto word = op.drops.template word<T>(n);

    const int group = my.thread / padded, channel = my.thread % padded;
    T top = std::numeric_limits<T>::lowest(), total = 0, y = 0;
    for (dim_t j = first; j < end; j += columns) {
      here.sync();  // the values before have been read
      my.put(moving, memory.moving);
      my.fetch(moving, value, j, end);
      here.sync();
      const bool seen = my.thread < columns && j + my.thread < end;
      T s = std::numeric_limits<T>::lowest();
      if (seen) s = score(memory.q, memory.moving + my.thread * Tile::stride);
      const T higher = math::max(reduce_block(here, s, Larger{}), top), old = exp2_nonpositive(top - higher);
      const T p = seen ? exp2_nonpositive(s - higher) : T(0);
      top = higher, total = total * old + p;
      if (my.thread < columns)
        memory.weight[my.thread] = p * Drops::template factor<T>(word, detail::columns<T>(j + my.thread));
      my.put(moving, memory.moving);
      if (j + columns < end) my.fetch(moving, key, j + columns, end);
      here.sync();
      y *= old;
      if (group < groups)
        for (int r = group; r < columns; r += groups) y += memory.weight[r] * memory.moving[r * Tile::stride + channel];
    }
    total = reduce_block(here, total, Plus{});
    if (group < groups) memory.sums[group][channel] = y;
    here.sync();
    if (my.thread < D)
      for (int g = 1; g < groups; ++g) y += memory.sums[g][my.thread];
    if (shares) {
      T* const share = shares + here.index() * (D + 2);
      if (my.thread < D) share[my.thread] = y;
      if (my.thread == 0) share[D] = top, share[D + 1] = total;
    } else {
      if (my.thread < D) op.y[row + my.thread] = y / total;
      if (my.thread == 0) op.softmax.top(n) = top, op.softmax.total(n) = total;
    }
  }

 private:
  static constexpr dim_t least_keys = 128, most_blocks = 512;
  static RWKV_HD T score(const T* q, const T* k) {
    T sum = 0;
    for (int c = 0; c < padded; c += 4) {
      const auto q_c = Four<T>::read(q + c), k_c = Four<T>::read(k + c);
      unrolled<4>([&](int i) { sum += q_c.at[i] * k_c.at[i]; });
    }
    return sum;
  }
};

/// A token's sums over its pieces, in order, each with its largest score and its denominator.
template <class T, dim_t D>
struct JoinPieces {
  static constexpr int threads = 128;
  dim_t pieces;
  const T* shares;
  T* y;
  Softmax<T> softmax;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const dim_t n = here.index(), c = here.thread() < D ? here.thread() : D - 1;
    const T* const of_n = shares + n * pieces * (D + 2);
    T top = std::numeric_limits<T>::lowest(), total = 0, sum = 0;
    for (dim_t p = 0; p < pieces; ++p) top = math::max(of_n[p * (D + 2) + D], top);
    for (dim_t p = 0; p < pieces; ++p) {
      const T* const share = of_n + p * (D + 2);
      const T weight = exp2_nonpositive(share[D] - top);
      sum += weight * share[c], total += weight * share[D + 1];
    }
    if (here.thread() < D) y[n * D + c] = sum / total;
    if (here.thread() == 0) softmax.top(n) = top, softmax.total(n) = total;
  }
};

}  // namespace rwkv::detail::grid
