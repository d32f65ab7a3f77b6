#pragma once
#include <string>
#include <string_view>

#include <rwkv/text/tokenizer.hpp>

namespace example {

/// Throws unless the tokenizer knows every character of a prompt.
inline void expect_known(const rwkv::Tokenizer& tokenizer, std::string_view prompt) {
  const auto* characters = tokenizer.as<rwkv::Characters>();
  if (characters == nullptr) return (void)tokenizer.encode(prompt, "--prompt");
  rwkv::utf8::for_each(prompt, "--prompt", [&](char32_t code, std::size_t at) {
    if (characters->id(code) < 0)
      throw rwkv::Error(rwkv::utf8::place("--prompt", prompt, at), ": expected one of the ", characters->size(),
                        " characters of the text that was learned, found ", rwkv::utf8::printable(code),
                        "; leave it out, or train on a text that has it");
  });
}

/// What stands before a text: a new line, a space where the tokenizer has none, or else its first token.
inline std::string default_prompt(const rwkv::Tokenizer& tokenizer) {
  for (const char* usual : {"\n", " "}) try {
      (void)tokenizer.encode(usual);
      return usual;
    } catch (const rwkv::Error&) {
    }
  std::string first;
  tokenizer.append(0, first);
  return first;
}

}  // namespace example
