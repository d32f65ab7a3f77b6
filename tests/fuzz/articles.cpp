#include "../../examples/compare/articles.hpp"

#include "memory_file.hpp"
#include "targets.hpp"

void fuzz::articles(std::string_view input) {
  static MemoryFile file;
  file.hold(input);
  std::size_t articles = 0, characters = 0, bytes = 0;
  compare::read_articles(
      file.path(), [&] { ++articles; }, [&](std::string_view line) { characters += line.size(); },
      [&](std::size_t n) { bytes += n; });
  expect(characters <= input.size() && articles <= input.size(), "no more text than there is");
  expect(bytes <= input.size() + 1, "no more bytes than there are");
}
