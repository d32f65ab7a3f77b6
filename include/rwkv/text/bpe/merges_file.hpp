#pragma once
#include <algorithm>
#include <string>
#include <string_view>

#include <rwkv/text/bpe/vocabulary.hpp>
#include <rwkv/text/json_walk.hpp>

// GPT-2's own files: vocab.json (encoder.json), the numbers of all tokens, and merges.txt (vocab.bpe), the pairs.
namespace rwkv::detail {

/// Error that names file and place for what is damaged. "<|endoftext|>" is the mark of a text's end, if it is a token.
[[gnu::cold]] inline BpeVocabulary read_vocabulary_and_merges(std::string_view vocabulary, std::string_view merges,
                                                              const std::string& name, const std::string& merges_name) {
  constexpr std::string_view end_of_text = "<|endoftext|>";
  using Kind = JsonValue::Kind;
  BpeFile file;
  walk_json(vocabulary, name, [&](std::span<const std::string> path, JsonValue&& value) {
    if (path.empty() ? value.is(Kind::object)
                     : path.size() == 1 && value.is(Kind::number) && value.number <= INT32_MAX) {
      if (path.empty()) return;
      file.vocabulary.emplace_back(path[0], static_cast<std::int64_t>(value.number));
      if (path[0] == end_of_text) file.added.push_back({file.vocabulary.back().second, path[0], true, false});
      return;
    }
    throw Error(name, ": expected an object of texts and numbers below 2^31, found ", value.words(),
                path.empty() ? std::string() : " at " + in_quotes(path[0]), "; give the tokenizer's vocab.json");
  });
  for (std::size_t number = 1; !merges.empty(); ++number) {
    const std::size_t end = std::min(merges.find('\n'), merges.size());
    std::string_view row = merges.substr(0, end);
    merges.remove_prefix(std::min(end + 1, merges.size()));
    if (row.ends_with('\r')) row.remove_suffix(1);
    if (row.empty() || (number == 1 && row.starts_with("#version"))) continue;
    const std::size_t space = row.find(' ');
    if (space == row.npos || row.find(' ', space + 1) != row.npos)
      throw Error(merges_name, ": line ", number, ": expected two texts with a space between them, found ",
                  in_quotes(row), "; give the tokenizer's merges.txt");
    file.merges.emplace_back(row.substr(0, space), row.substr(space + 1));
  }
  return BpeVocabulary::of(file, name);
}

}  // namespace rwkv::detail
