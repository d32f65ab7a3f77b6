#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/text/bpe/vocabulary.hpp>
#include <rwkv/text/byte_trie.hpp>
#include <rwkv/text/unicode/normal_form.hpp>

namespace rwkv::detail {

/// Tokens that are found in a text before it is cut into words: the leftmost, and of those the longest.
class AddedTokens {
 public:
  /// Those of a vocabulary that are looked for in the normal form of a text, or those that are looked for in itself.
  AddedTokens(const BpeVocabulary& vocabulary, bool normalized) {
    std::vector<std::string> texts;
    for (const BpeVocabulary::Added& token : vocabulary.added) {
      if (token.normalized != normalized) continue;
      texts.emplace_back();
      if (normalized && vocabulary.composes)
        unicode::append_composed(token.text, texts.back());
      else
        texts.back() = token.text;
      ids_.push_back(token.id);
      begins_[static_cast<unsigned char>(texts.back()[0])] = true;
    }
    trie_ = ByteTrie(texts);
  }

  /// Calls each(id) for the tokens in a text, and piece(text) for what lies between them, in order.
  template <class Each, class Piece>
  void for_each_piece(std::string_view text, Each& each, Piece&& piece) const {
    for (std::size_t at = 0; at < text.size() && !ids_.empty();) {
      if (!begins_[static_cast<unsigned char>(text[at])]) {
        ++at;
        continue;
      }
      const ByteTrie::Match token = trie_.longest(text.substr(at));
      if (token.id < 0) {
        ++at;
        continue;
      }
      if (at > 0) piece(text.substr(0, at));
      each(ids_[static_cast<std::size_t>(token.id)]);
      text.remove_prefix(at + token.size);
      at = 0;
    }
    if (!text.empty()) piece(text);
  }

 private:
  std::vector<std::int32_t> ids_;
  std::array<bool, 256> begins_{};
  ByteTrie trie_;
};

}  // namespace rwkv::detail
