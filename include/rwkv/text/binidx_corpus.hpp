#pragma once
#include <memory>
#include <string>
#include <utility>

#include <rwkv/text/binidx.hpp>
#include <rwkv/text/corpus.hpp>

namespace rwkv {
namespace detail {

/// Tokens that stay in their file, each of a vocabulary.
class FileTokens final : public TokenStorage {
 public:
  FileTokens(BinIdx file, dim_t vocabulary) : file_(std::move(file)), vocabulary_(vocabulary) {}

  dim_t size() const override { return file_.size(); }
  void read(dim_t first, std::span<std::int32_t> out) const override {
    file_.read(first, out);
    for (std::size_t i = 0; i < out.size(); ++i)
      if (out[i] < 0 || out[i] >= vocabulary_)
        throw Error(file_.path(), ": token ", static_cast<std::size_t>(first) + i, ": expected 0 to ", vocabulary_ - 1,
                    ", which the tokenizer has, found ", out[i], "; give the tokenizer that made the file");
  }

 private:
  BinIdx file_;
  dim_t vocabulary_;
};

}  // namespace detail

/// A corpus of tokens that were made before, in Megatron's files, see BinIdx; `path` is that of either, or without an
/// ending. Tokens stay in their file: one that the tokenizer does not have is an Error when it is read. Bounds of
/// documents are passed over.
[[gnu::cold]] inline Corpus binidx_corpus(const std::string& path, Tokenizer tokenizer) {
  auto tokens = std::make_shared<const detail::FileTokens>(BinIdx(path), tokenizer.size());
  return {std::move(tokens), std::move(tokenizer), detail::binidx_stem(path) + ".bin"};
}

}  // namespace rwkv
