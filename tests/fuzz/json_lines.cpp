#include <rwkv/text/json_lines.hpp>

#include "memory_file.hpp"
#include "targets.hpp"

void fuzz::json_lines(std::string_view input) {
  static MemoryFile file;
  file.hold(input);
  const rwkv::Corpus corpus = rwkv::json_lines_corpus(file.path(), rwkv::Bytes());
  std::vector<std::int32_t> ids(std::size_t(corpus.size()));
  corpus.read(0, ids);
  expect(ids.back() == 0, "a document that ends");
}
