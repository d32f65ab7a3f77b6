#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/text/corpus.hpp>
#include <rwkv/text/json_walk.hpp>
#include <rwkv/text/line_reader.hpp>

namespace rwkv {

/// The documents of a file of JSON lines: of each line, which is an object, what stands under the key "text". Empty
/// lines are passed over. Error, with the line, for one that is no JSON or has no such text.
class JsonLines {
 public:
  explicit JsonLines(const std::string& path) : lines_(path) {}

  /// The next document; false after the last.
  bool next(std::string& document) {
    while (lines_.next(line_)) {
      if (line_.find_first_not_of(" \t\r") == std::string::npos) continue;
      bool found = false;
      detail::walk_json(line_, name(), [&](std::span<const std::string> path, detail::JsonValue&& value) {
        if (path.size() == 1 && path[0] == "text" && value.is(detail::JsonValue::Kind::string))
          document = std::move(value.text), found = true;
      });
      if (found) return true;
      throw Error(name(), ": expected an object with a string under the key \"text\", found ", in_quotes(line_),
                  "; each line is one document, {\"text\": \"...\"}");
    }
    return false;
  }
  /// "documents.jsonl: line 7", for messages.
  std::string name() const { return lines_.path() + ": line " + std::to_string(lines_.number()); }

 private:
  LineReader lines_;
  std::string line_;
};

/// The token after a document: the tokenizer's end of a text, or 0.
inline std::int32_t document_end(const Tokenizer& tokenizer) {
  return tokenizer.end_of_text().value_or(0);
}

/// The documents of JSON lines as one corpus, each with document_end after it. Error if the file holds none, or the
/// tokenizer cannot encode one.
[[gnu::cold]] inline Corpus json_lines_corpus(const std::string& path, Tokenizer tokenizer) {
  const auto tokens = std::make_shared<PackedTokens>(tokenizer.size());
  const auto add = [&](std::span<const std::int32_t> ids) { tokens->add(ids); };
  const std::int32_t end = document_end(tokenizer);
  JsonLines lines(path);
  for (std::string document; lines.next(document);) {
    tokenizer.encode(document, lines.name(), add);
    add({&end, 1});
  }
  return {tokens, std::move(tokenizer), path};
}

}  // namespace rwkv
