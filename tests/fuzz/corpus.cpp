#include <rwkv/text/corpus.hpp>

#include "memory_file.hpp"
#include "targets.hpp"

namespace {
/// All tokens, and what they say.
void walk(const rwkv::Corpus& corpus, std::string_view text) {
  std::vector<std::int32_t> ids(std::size_t(corpus.size()));
  corpus.read(0, ids);
  fuzz::expect(corpus.tokenizer().decode(ids) == text, "a text says what its tokens say");
  if (corpus.size() > 1) corpus.slice(1, corpus.size() - 1).read(0, std::span(ids).first(ids.size() - 1));
}
}  // namespace

void fuzz::corpus(std::string_view input) {
  static MemoryFile file;
  static const rwkv::Characters few("\nabc");
  file.hold(input);
  walk(rwkv::Corpus(file.path(), rwkv::Bytes()), input);
  walk(rwkv::Corpus::by_characters(file.path()), input);
  walk(rwkv::Corpus::of_text(std::string(input), few), input);
}
