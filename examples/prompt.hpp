#pragma once
#include <string>
#include <string_view>

#include <rwkv/text/tokenizer.hpp>

namespace example {

/// Throws unless the tokenizer knows every character of a prompt.
inline void expect_known(const rwkv::Tokenizer& tokenizer, std::string_view prompt) {
  tokenizer.visit([&](const auto& kind) {
    if constexpr (requires { kind.id(U' '); })
      rwkv::utf8::for_each(prompt, "--prompt", [&](char32_t code, std::size_t at) {
        if (kind.id(code) < 0)
          throw rwkv::Error(rwkv::utf8::place("--prompt", prompt, at), ": expected one of the ", kind.size(),
                            " characters of the text that was learned, found ", rwkv::utf8::printable(code),
                            "; leave it out, or train on a text that has it");
      });
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
