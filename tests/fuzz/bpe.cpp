#include <rwkv/text/bpe.hpp>

#include "expect.hpp"
#include "targets.hpp"

namespace {

void walk(const rwkv::Bpe& bpe, std::string_view text) {
  fuzz::expect(rwkv::Bpe::from_json(bpe.file()) == bpe, "the same from its own file");
  std::string back, again;
  for (const std::int32_t id : bpe.encode(text)) bpe.append(id, back);  // the normal form of the text
  for (const std::int32_t id : bpe.encode(back)) bpe.append(id, again);
  fuzz::expect(again == back, "tokens say what the text says");
}

}  // namespace

/// A tokenizer.json; or vocab.json, an empty line, merges.txt.
void fuzz::bpe(std::string_view input) {
  const std::size_t end = input.find("\n\n");
  if (end == input.npos) return walk(rwkv::Bpe::from_json(input), input);
  walk(rwkv::Bpe::from_vocabulary_and_merges(input.substr(0, end), input.substr(end + 2)), input);
}
