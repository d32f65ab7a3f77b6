#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <rwkv/text/bpe/flat_map.hpp>

namespace rwkv {

/// Two tokens that become one; which of several comes first is decided by their order.
struct BpeMerge {
  std::int32_t left, right, made;
  friend bool operator==(const BpeMerge&, const BpeMerge&) = default;
};

namespace detail {

/// Merges neighbours in a word as long as there are any to merge: always those of the lowest rank, the leftmost first.
class Merges {
 public:
  /// By rank. Of equal pairs the first counts.
  explicit Merges(std::vector<BpeMerge> merges) : merges_(std::move(merges)), ranks_(merges_.size()) {
    for (std::size_t rank = 0; rank < merges_.size(); ++rank)
      ranks_.insert(key(merges_[rank].left, merges_[rank].right), static_cast<std::uint32_t>(rank));
  }
  const std::vector<BpeMerge>& list() const { return merges_; }

  /// A word's tokens, and where they are merged; kept from word to word for its memory alone.
  class Word {
   public:
    /// Begins a word of single bytes.
    void clear() { tokens_.clear(); }
    void add(std::int32_t token) {
      const auto at = static_cast<std::int32_t>(tokens_.size());
      tokens_.push_back({token, at - 1, at + 1});
    }
    /// Calls each(token), in order.
    template <class Each>
    void for_each(Each&& each) const {
      for (const Token& token : tokens_)
        if (token.id != merged) each(token.id);
    }

   private:
    friend class Merges;
    static constexpr std::int32_t merged = -1;
    struct Token {
      std::int32_t id, before, after;  // neighbours' places
    };
    struct Candidate {
      std::uint32_t rank;
      std::int32_t left;
      bool operator<(const Candidate& other) const {  // the top of a heap is its greatest
        return rank != other.rank ? rank > other.rank : left > other.left;
      }
    };
    std::vector<Token> tokens_;
    std::vector<Candidate> heap_;
  };

  void merge(Word& word) const {
    auto& heap = word.heap_;
    heap.clear();
    const auto end = static_cast<std::int32_t>(word.tokens_.size());
    for (std::int32_t at = 0; at + 1 < end; ++at)
      if (const std::uint32_t rank = rank_at(word, at); rank != FlatMap::none) heap.push_back({rank, at});
    std::make_heap(heap.begin(), heap.end());
    const auto consider = [&](std::int32_t at) {
      if (const std::uint32_t rank = rank_at(word, at); rank != FlatMap::none) {
        heap.push_back({rank, at});
        std::push_heap(heap.begin(), heap.end());
      }
    };
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end());
      const auto [rank, at] = heap.back();
      heap.pop_back();
      const std::uint32_t now = rank_at(word, at);  // another pair may stand there by now
      if (now == FlatMap::none || merges_[now].made != merges_[rank].made) continue;
      Word::Token& left = token(word, at);
      Word::Token& right = token(word, left.after);
      left = {merges_[rank].made, left.before, right.after};
      right.id = Word::merged;
      if (left.after < end) token(word, left.after).before = at, consider(at);
      if (left.before >= 0) consider(left.before);
    }
  }

 private:
  static std::uint64_t key(std::int32_t left, std::int32_t right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
  }
  static Word::Token& token(Word& word, std::int32_t at) { return word.tokens_[static_cast<std::size_t>(at)]; }
  /// Of the token at a place and the one after it.
  std::uint32_t rank_at(Word& word, std::int32_t at) const {
    const Word::Token& left = token(word, at);
    if (left.id == Word::merged || left.after == static_cast<std::int32_t>(word.tokens_.size())) return FlatMap::none;
    return ranks_.find(key(left.id, token(word, left.after).id));
  }

  std::vector<BpeMerge> merges_;
  FlatMap ranks_;
};

}  // namespace detail
}  // namespace rwkv
