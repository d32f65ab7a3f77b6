#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/text/bpe/byte_letters.hpp>
#include <rwkv/text/bpe/merges.hpp>

namespace rwkv {

/// What a file of a byte-level BPE tokenizer says: texts are in letters that stand for bytes, as they are written
/// there.
struct BpeFile {
  struct Added {
    std::int64_t id = -1;
    std::string text;
    bool special = false;     ///< a mark, not a part of texts
    bool normalized = false;  ///< looked for in the text's normal form, not in the text
  };
  std::vector<std::pair<std::string, std::int64_t>> vocabulary;
  std::vector<std::pair<std::string, std::string>> merges;  ///< the first has the lowest rank
  std::vector<Added> added;                                 ///< tokens that are found before words are cut
  bool composes = false;                                    ///< texts are brought into normal form C
};

/// The tokens of a byte-level BPE tokenizer.
struct BpeVocabulary {
  struct Added {
    std::int32_t id;
    std::string text;
    bool special, normalized;
    friend bool operator==(const Added&, const Added&) = default;
  };
  std::vector<std::string> letters;  ///< of each token, as files write them
  std::vector<std::string> texts;    ///< of each token, as bytes
  std::vector<BpeMerge> merges;
  std::vector<Added> added;
  bool composes = false;

  /// Error unless tokens are numbered from 0 without gaps, all different, merges name tokens, each pair once, and all
  /// bytes that occur in UTF-8 are tokens. `name` is what messages call the file.
  [[gnu::cold]] static BpeVocabulary of(const BpeFile& file, const std::string& name) {
    BpeVocabulary made;
    made.composes = file.composes;
    const std::size_t most = file.vocabulary.size() + file.added.size();
    made.letters.resize(most);
    std::vector<bool> known(most);
    std::unordered_map<std::string, std::int32_t> numbers;
    numbers.reserve(most);
    const auto add = [&](const std::string& text, std::int64_t id) {
      if (id < 0 || id >= static_cast<std::int64_t>(most))
        throw Error(name, ": token ", in_quotes(text), ": expected a number from 0 to ", most - 1,
                    ", as there are so many tokens, found ", id, again);
      const auto at = static_cast<std::size_t>(id);
      const bool fresh = numbers.emplace(text, static_cast<std::int32_t>(id)).second;
      if (!fresh || known[at])
        throw Error(name, ": token ", id, ": expected one text, and every text once, found ", in_quotes(text),
                    fresh ? " and " + in_quotes(made.letters[at]) : " a second time", again);
      made.letters[at] = text, known[at] = true;
    };
    for (const auto& [text, id] : file.vocabulary) add(text, id);
    for (const BpeFile::Added& added : file.added) {
      const auto same = numbers.find(added.text);
      if (added.text.empty()) throw Error(name, ": added token ", added.id, ": expected a text, found none", again);
      if (same == numbers.end() || same->second != added.id) add(added.text, added.id);
      made.added.push_back({static_cast<std::int32_t>(added.id), added.text, added.special, added.normalized});
    }
    made.letters.resize(numbers.size());
    for (std::size_t id = 0; id < numbers.size(); ++id)
      if (!known[id])
        throw Error(name, ": expected tokens 0 to ", numbers.size() - 1, ", found none of number ", id, again);
    for (const std::string& letters : made.letters) made.texts.push_back(bytes_of(letters).value_or(letters));
    for (const Added& added : made.added) made.texts[static_cast<std::size_t>(added.id)] = added.text;
    made.find_merges(file, numbers, name);
    for (unsigned byte = 0; byte < 0xF5; ++byte)
      if (const std::string letter = detail::letters_of(std::string(1, static_cast<char>(byte)));
          byte != 0xC0 && byte != 0xC1 && !numbers.contains(letter))
        throw Error(name, ": expected every byte among the tokens, found none of byte ", byte, " (", in_quotes(letter),
                    "); such a tokenizer cannot encode every text");
    return made;
  }

  friend bool operator==(const BpeVocabulary&, const BpeVocabulary&) = default;

 private:
  static constexpr const char* again = "; download the file again";

  static std::optional<std::string> bytes_of(const std::string& letters) { return detail::bytes_of(letters); }
  void find_merges(const BpeFile& file, const std::unordered_map<std::string, std::int32_t>& numbers,
                   const std::string& name) {
    detail::FlatMap pairs(file.merges.size());
    for (const auto& pair : file.merges) {
      const auto wrong = [&](const auto&... pieces) {
        return Error(name, ": merge ", merges.size() + 1, ", ", in_quotes(pair.first + " " + pair.second),
                     ": expected ", pieces..., again);
      };
      const auto number = [&](const std::string& text) {
        const auto found = numbers.find(text);
        if (found == numbers.end()) throw wrong("texts of tokens, found ", in_quotes(text), ", which is none");
        return found->second;
      };
      const BpeMerge merge{number(pair.first), number(pair.second), number(pair.first + pair.second)};
      const auto first = static_cast<std::uint64_t>(merge.left) << 32;
      if (!pairs.insert(first | static_cast<std::uint32_t>(merge.right), 0))
        throw wrong("every pair once, found it again");
      merges.push_back(merge);
    }
  }
};

}  // namespace rwkv
