#pragma once
#include <algorithm>

#include <rwkv/ops/attention/exp2.hpp>
#include <rwkv/ops/attention/history.hpp>
#include <rwkv/ops/attention/tile.hpp>
#include <rwkv/ops/dropout.hpp>

namespace rwkv::detail {

/// Keys that lie one after the other in memory, `row` apart.
struct KeyBlock {
  dim_t first, count;  // see History
  dim_t end() const { return first + count; }
};

/// f(block) for the keys first ... end - 1, at most `most` at a time, cut where the ring begins anew and ends.
template <class T, class F>
void each_key_block(const History<T>& history, dim_t before, dim_t first, dim_t end, dim_t most, const F& f) {
  while (first < end) {
    dim_t count = std::min(most, end - first);
    if (first < 0) count = std::min({count, -first, history.window - (before + first) % history.window});
    f(KeyBlock{first, count});
    first += count;
  }
}

/// Rows of D numbers, `row` apart, one after the other.
template <class T, dim_t D>
void copy_rows(const T* from, dim_t row, dim_t count, T* to) {
  for (dim_t j = 0; j < count; ++j, from += row, to += D) std::copy_n(from, D, to);
}

/// A few neighbouring tokens, a lane each, before the keys of a block.
template <class T>
struct Panel {
  using Lane = Tile<T>;
  static constexpr int W = Lane::W, wide = Lane::wide;
  using L = typename Lane::L;

  dim_t first, window;  // the first token
  dim_t last;           // the last one that is in the call

  /// The keys of the block that a token of the panel sees.
  KeyBlock seen(const KeyBlock& block, dim_t oldest) const {
    const dim_t from = std::max(block.first, oldest), end = std::min(block.end(), last + 1);
    return {from, std::max<dim_t>(0, end - from)};
  }
  /// Whether some token does not see one of these keys.
  bool cuts(const KeyBlock& keys) const { return keys.end() - 1 > first || keys.first < last - window + 1; }

  /// f(pack of a row, whether each lane's token sees key j)
  template <class F>
  [[gnu::always_inline]] void each_pack(dim_t j, const F& f) const {
    // lane l is token first + l, which sees the keys first + l - window + 1 ... first + l
    const T low = static_cast<T>(std::max<dim_t>(j - first, 0));
    const T high = static_cast<T>(std::min<dim_t>(j - first + window - 1, wide));
#pragma GCC unroll 4
    for (int s = 0; s < wide; s += W) {
      L lane;
      for (int l = 0; l < W; ++l) lane[l] = static_cast<T>(s + l);
      f(s, [&](L yes, L no) { return lane >= broadcast<L>(low) ? (lane <= broadcast<L>(high) ? yes : no) : no; });
    }
  }
};

/// What dropout draws for a block of tokens of one head, a lane each; nothing where nothing is dropped.
template <class T, class Drops, dim_t panels>
struct PanelWords {
  static constexpr int wide = Tile<T>::wide;
  alignas(64) std::array<RandomWord<T>, Drops::any ? panels * wide : 1> words{};

  PanelWords(const Drops& drops, const History<T>& history, dim_t b, dim_t h, dim_t first, dim_t end) {
    if constexpr (Drops::any)
      for (dim_t t = first; t < end; ++t)
        words[std::size_t(t - first)] = drops.template word<T>(history.row(b, t, h) / history.width);
  }
  const RandomWord<T>* of(dim_t panel) const { return words.data() + (Drops::any ? panel * wide : 0); }
};

/// What the weights of key j are multiplied by, for tokens with these words.
template <class L, class Drops>
[[gnu::always_inline]] inline L kept(const RandomWord<scalar_of<L>>* words, dim_t j) {
  Pack<RandomWord<scalar_of<L>>, width_of<L>> of_tokens;
  std::memcpy(&of_tokens, words, sizeof of_tokens);
  return Drops::template factor<L>(of_tokens, columns<scalar_of<L>>(j));
}

}  // namespace rwkv::detail
