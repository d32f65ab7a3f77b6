#include "../../examples/compare/articles.hpp"

#include <vector>

#include "../../examples/compare/clean_rules.hpp"
#include "memory_file.hpp"
#include "targets.hpp"

void fuzz::articles(std::string_view input) {
  static MemoryFile file;
  file.hold(input);
  std::size_t articles = 0, characters = 0, bytes = 0;
  std::string cleaned;
  const auto line = [&](std::string_view text) {
    characters += text.size();
    for (const compare::Rule rule : {compare::Rule::ascii96, compare::Rule::study56}) {
      cleaned.clear();
      compare::clean_line(rule, text, cleaned);
      expect(cleaned.size() <= text.size() + 1, "a clean line that is no longer");
      for (const char c : cleaned) expect((c >= 0x20 && c < 0x7F) || c == '\n', "clean characters");
    }
  };
  compare::read_articles(
      file.path(), [&] { ++articles; }, line, [&](std::size_t n) { bytes += n; });
  expect(characters <= input.size() && articles <= input.size(), "no more text than there is");
  expect(bytes == input.size(), "as many bytes as there are");
}
