#pragma once
#include <string>

#include <rwkv/core/error.hpp>
#include <rwkv/text/tokenizer.hpp>

namespace example {

/// What a user should hear of a tokenizer that a model's file does not name as its own: released files are silent
/// about theirs, and the tokens of another would be read as if they were. Empty unless the model knows many tokens
/// more than the tokenizer has. Error if it knows fewer.
inline std::string tokenizer_note(const rwkv::Tokenizer& tokenizer, const std::string& path, rwkv::dim_t vocabulary,
                                  const rwkv::Tokenizer::Metadata& metadata) {
  if (tokenizer.size() > vocabulary)
    throw rwkv::Error(path, ": the tokenizer has ", tokenizer.size(), " tokens, the model knows ", vocabulary,
                      "; name its own by --tokenizer");
  constexpr rwkv::dim_t filling = 1024;  // vocabularies are filled up to round numbers
  if (metadata.contains("tokenizer") || vocabulary - tokenizer.size() < filling) return {};
  const rwkv::Error note(path, ": the tokenizer has ", tokenizer.size(), " tokens, the model knows ", vocabulary,
                         ": is it the model's own? Models of RWKV with 65536 have World's, rwkv_vocab_v20230424.txt");
  return note.what();
}

}  // namespace example
