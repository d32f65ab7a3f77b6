#include <doctest/doctest.h>

#include <rwkv/core/random.hpp>
#include <rwkv/text/world.hpp>

#include "golden_ids.hpp"

using namespace std::string_literals;
using rwkv::Error;
using rwkv::World;

namespace {

std::string small_file() {
  return whole_file(golden("tokenizers/world.txt"));
}
World small() {
  return World::from_vocabulary_file(small_file());
}
std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}
std::string decoded(const World& world, const Ids& ids) {
  std::string out;
  for (const std::int32_t id : ids) world.append(id, out);
  return out;
}

}  // namespace

TEST_CASE("World gives the ids of the official tokenizer, whatever ends the lines of its vocabulary") {
  const World world = small();
  CHECK(world.size() == 276);
  const GoldenFile expected = golden_ids(golden("tokenizers/ids.jsonl"));
  REQUIRE(expected.texts.size() > 20);
  for (const GoldenIds& row : expected.texts) {
    CAPTURE(row.text);
    CHECK(world.encode(row.text) == row.world);
    CHECK(decoded(world, row.world) == row.text);
  }
  CHECK(told(world.encode(made_text())) == expected.made.at(2));
  std::string windows;
  for (const char c : small_file()) windows += c == '\n' ? "\r\n" : std::string(1, c);
  CHECK(World::from_vocabulary_file(windows) == world);
  CHECK(World::from_vocabulary_file(small_file().substr(0, small_file().size() - 1)) == world);
}

TEST_CASE("World encodes every sequence of bytes") {
  const World world = small();
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const rwkv::Random random{seed};
    std::string text;
    for (std::uint64_t i = 0; i < 200; ++i) text += static_cast<char>(random.below(seed % 2 == 0 ? 256 : 4, i) + 0xE2);
    CHECK(decoded(world, world.encode(text)) == text);
  }
  CHECK(world.encode("\xE4\xBD\xE4\xFF\xFE") == Ids{262, 0xE5, 263});
  CHECK(decoded(world, {0}).empty());
  CHECK(World::end_of_text() == 0);
  std::string out;
  CHECK_THROWS_WITH_AS(world.append(276, out), doctest::Contains("token 276: expected 0 to 275"), Error);
  CHECK_THROWS_AS(world.append(-1, out), Error);
}

TEST_CASE("literals of the vocabulary are read as Python reads them") {
  using rwkv::detail::python_literal;
  CHECK(python_literal("'\\x80'") == "\xC2\x80");
  CHECK(python_literal("b'\\x80'") == "\x80");
  CHECK(python_literal("'\\u4f60\\U0001F600'") == "\xE4\xBD\xA0\xF0\x9F\x98\x80");
  CHECK(python_literal("\"it's \\\"\"") == "it's \"");
  CHECK(python_literal("'\\n\\t\\r\\\\\\'\\a\\b\\f\\v'") == "\n\t\r\\'\a\b\f\v");
  CHECK(python_literal("'\\0\\18\\777'") ==
        "\0\1"
        "8\xC7\xBF"s);
  CHECK(python_literal("b'\\0\\777\\u0041'") == "\0\xFF\\u0041"s);
  CHECK(python_literal("'\\q \\'") == std::nullopt);
  CHECK(python_literal("'\\q '") == "\\q ");
  for (const char* wrong : {"", "'", "a", "'a", "'a\"", "b", "b'", "'a'b'", "'\\x4'", "'\\xg0'", "'\\u123'",
                            "'\\ud800'", "'\\U00110000'", "'\\N{DIGIT ONE}'", "b'\xC3\xA9'", "'\xC3'", "r'a'", "'\\'"})
    CHECK(python_literal(wrong) == std::nullopt);
}

TEST_CASE("a vocabulary that is written reads the same, and its hash is that of its tokens") {
  const World world = small();
  const World again = World::from_vocabulary_file(world.file());
  CHECK(again == world);
  CHECK(again.content_hash().value() == world.content_hash().value());
  const World other = World::from_vocabulary_file(replaced(small_file(), "' permission' 11", "' permissioN' 11"));
  CHECK(other != world);
  CHECK(other.content_hash().value() != world.content_hash().value());
}

TEST_CASE("the list of a GGUF file is the same vocabulary") {
  const World world = small();
  std::vector<std::string> list{"<s>"};
  for (std::int32_t id = 1; id < world.size(); ++id) {
    std::string escaped;
    const std::string text = decoded(world, {id});
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '\\' || c == '\'')
        (escaped += '\\') += c;
      else if (c == '\n')
        escaped += "\\n";
      else if (byte < 0x20 || byte >= 0x7F)
        (escaped += "\\x") += {"0123456789abcdef"[byte / 16], "0123456789abcdef"[byte % 16]};
      else
        escaped += c;
    }
    list.push_back(escaped);
  }
  CHECK(World::from_escaped(list) == world);
  for (int padding = 0; padding < 3; ++padding) list.push_back("[PAD" + std::to_string(list.size()) + "]");
  CHECK(World::from_escaped(list) == world);
  CHECK(World::from_escaped(list).size() == 276);
  list[5] = "\\x4";
  CHECK_THROWS_WITH_AS(
      World::from_escaped(list, "model.gguf"),
      "model.gguf: token 5: expected bytes in Python's escapes, found \"\\\\x4\"; the file's tokenizer "
      "is another one, or damaged",
      Error);
  CHECK_THROWS_AS(World::from_escaped({}), Error);
}

TEST_CASE("a damaged vocabulary is refused, with the line") {
  const auto refused = [](const std::string& file, const std::string& message) {
    CAPTURE(file.substr(0, 80));
    CHECK_THROWS_WITH_AS(World::from_vocabulary_file(file, "v.txt"), doctest::Contains(message.c_str()), Error);
  };
  const std::string good = small_file();
  refused(replaced(good, "66 'A' 1", "65 'A' 1"),
          "v.txt: line 66: expected every token once, found a second one of number 65");
  refused(replaced(good, "66 'A' 1", "277 'A' 1"), "v.txt: line 66: expected a token's number from 1 to 275");
  refused(replaced(good, "66 'A' 1", "0 'A' 1"), "line 66: expected a token's number from 1");
  refused(replaced(good, "66 'A' 1", "99999999999999999999 'A' 1"), "found \"99999999999999999999\"");
  refused(replaced(good, "66 'A' 1", "-66 'A' 1"), "found \"-66\"");
  refused(replaced(good, "66 'A' 1", "66 'A' 2"),
          "v.txt: line 66: expected the length of the literal, 1 bytes (at least 1), found \"2\"");
  refused(replaced(good, "66 'A' 1", "66 '' 0"), "expected the length of the literal");
  refused(replaced(good, "66 'A' 1", "66 A 1"), "expected a Python literal such as 'a' or b'\\xff', found \"A\"");
  refused(replaced(good, "66 'A' 1", "66"), "expected a number, a Python literal and its length, found \"66\"");
  refused(replaced(good, "66 'A' 1", ""), "line 66: expected a number, a Python literal");
  refused(replaced(good, "66 'A' 1", "66 'B' 1"), "v.txt: expected every text once, found \"B\" as tokens 66 and 67");
  refused(replaced(good, "66 'A' 1", "66 'AA' 2"), "expected every byte among the tokens, found none of byte 65");
  refused("", "expected every byte among the tokens");
  // A file that is cut between two lines after all bytes is a smaller vocabulary.
  for (std::size_t n = 0; n < good.size(); ++n)
    if (n + 1 < good.find("257 ") || (good[n] != '\n' && good[n - 1] != '\n'))
      CHECK_THROWS_AS(World::from_vocabulary_file(good.substr(0, n)), Error);
}
