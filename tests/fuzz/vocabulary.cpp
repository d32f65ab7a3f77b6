#include <rwkv/text/tokenizer.hpp>

#include "expect.hpp"
#include "targets.hpp"

/// "characters", a line's end, the vocabulary.
void fuzz::vocabulary(std::string_view input) {
  const std::size_t end = input.find('\n');
  rwkv::Tokenizer::Metadata metadata{{"tokenizer", std::string(input.substr(0, end))}};
  if (end != input.npos) metadata["vocabulary"] = input.substr(end + 1);
  const auto tokenizer = rwkv::Tokenizer::from_metadata(metadata);
  expect(tokenizer.metadata().at("tokenizer") == metadata.at("tokenizer"), "the kind that it was");
  expect(rwkv::Tokenizer::from_metadata(tokenizer.metadata()) == tokenizer, "the same from its own metadata");
  if (end == input.npos) return;
  const std::string& text = metadata.at("vocabulary");
  expect(tokenizer.decode(tokenizer.encode(text)) == text, "tokens say what the text says");
}
