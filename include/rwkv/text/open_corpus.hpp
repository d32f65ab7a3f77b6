#pragma once
#include <string>
#include <utility>

#include <rwkv/text/binidx_corpus.hpp>
#include <rwkv/text/json_lines.hpp>

namespace rwkv {

/// The corpus of a file, by its ending: .bin and .idx hold tokens of this tokenizer (binidx_corpus), .jsonl documents
/// (json_lines_corpus); others are one text.
[[gnu::cold]] inline Corpus open_corpus(const std::string& path, Tokenizer tokenizer) {
  if (path.ends_with(".bin") || path.ends_with(".idx")) return binidx_corpus(path, std::move(tokenizer));
  if (path.ends_with(".jsonl")) return json_lines_corpus(path, std::move(tokenizer));
  return {path, std::move(tokenizer)};
}

}  // namespace rwkv
