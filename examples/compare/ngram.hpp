#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <rwkv/text/corpus.hpp>

namespace compare {

/// How often every row of `order` tokens occurs in a text, sorted, so that rows that begin alike lie together.
class RowCounts {
 public:
  /// At most 256 different tokens, order at most 8: a row is 8 bits a token, the oldest first.
  RowCounts(const std::vector<std::uint8_t>& text, int order) {
    const std::size_t n = static_cast<std::size_t>(order);
    std::vector<std::uint64_t> rows;
    if (text.size() >= n) rows.reserve(text.size() - n + 1);
    const std::uint64_t mask = order == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * n) - 1;
    std::uint64_t row = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      row = (row << 8 | text[i]) & mask;
      if (i + 1 >= n) rows.push_back(row);
    }
    std::sort(rows.begin(), rows.end());
    for (const std::uint64_t next : rows) {
      if (rows_.empty() || rows_.back() != next) rows_.push_back(next), counts_.push_back(0);
      ++counts_.back();
    }
  }
  /// Calls each(token, count) for what follows a row of order - 1 tokens.
  template <class Each>
  void followers(std::uint64_t row, Each&& each) const {
    const auto first = std::lower_bound(rows_.begin(), rows_.end(), row << 8);
    for (auto at = first; at != rows_.end() && *at >> 8 == row; ++at)
      each(static_cast<std::uint8_t>(*at & 255), counts_[static_cast<std::size_t>(at - rows_.begin())]);
  }

 private:
  std::vector<std::uint64_t> rows_;
  std::vector<std::uint32_t> counts_;
};

inline std::vector<std::uint8_t> small_tokens(const rwkv::Corpus& corpus, rwkv::dim_t most) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(std::min(most, corpus.size())));
  corpus.read(0, ids);
  return {ids.begin(), ids.end()};
}

/// Nats per token on `valid` of n-grams of order 1, 2, ..., counted in the first `most` tokens of `train`, with Witten
/// and Bell's interpolation (1991): p(w | h) = (c(h w) + t(h) p(w | h without its oldest)) / (c(h) + t(h)), t(h) being
/// how many different tokens follow h; below order 1 every token of the vocabulary is as likely.
inline std::vector<double> ngram_losses(const rwkv::Corpus& train, const rwkv::Corpus& valid, int orders,
                                        rwkv::dim_t most) {
  const std::vector<std::uint8_t> text = small_tokens(train, most), test = small_tokens(valid, valid.size());
  std::vector<double> p(test.size(), 1.0 / double(train.tokenizer().size())), losses;
  for (int order = 1; order <= orders; ++order) {
    const RowCounts counts(text, order);
    const std::uint64_t mask = (std::uint64_t{1} << 8 * (order - 1)) - 1;
    std::uint64_t row = 0;
    double sum = 0;
    for (std::size_t i = 0; i < test.size(); ++i) {
      if (i + 1 >= static_cast<std::size_t>(order)) {
        double all = 0, kinds = 0, mine = 0;
        counts.followers(row & mask, [&](std::uint8_t token, std::uint32_t count) {
          all += count, ++kinds;
          if (token == test[i]) mine = count;
        });
        if (all > 0) p[i] = (mine + kinds * p[i]) / (all + kinds);
      }
      sum -= std::log(p[i]);
      row = row << 8 | test[i];
    }
    losses.push_back(sum / double(test.size()));
  }
  return losses;
}

}  // namespace compare
