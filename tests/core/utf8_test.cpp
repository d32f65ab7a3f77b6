#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <rwkv/core/random.hpp>
#include <rwkv/core/utf8_check.hpp>

using namespace std::string_literals;
using rwkv::Error;
using rwkv::Random;
using rwkv::utf8::Character;
using rwkv::utf8::Flaw;
namespace utf8 = rwkv::utf8;

namespace {

bool is_character(char32_t code) {
  return code <= 0x10FFFF && !(code >= 0xD800 && code < 0xE000);
}

/// The first bad sequence, told from the table of well-formed ones (Unicode 15, table 3-7), row by row.
std::size_t first_bad(const std::string& text) {
  const auto in = [&](std::size_t i, int low, int high) {
    return i < text.size() && static_cast<unsigned char>(text[i]) >= low && static_cast<unsigned char>(text[i]) <= high;
  };
  struct Row {
    int first_low, first_high, second_low, second_high, rest;
  };
  const Row rows[] = {{0xC2, 0xDF, 0x80, 0xBF, 0}, {0xE0, 0xE0, 0xA0, 0xBF, 1}, {0xE1, 0xEC, 0x80, 0xBF, 1},
                      {0xED, 0xED, 0x80, 0x9F, 1}, {0xEE, 0xEF, 0x80, 0xBF, 1}, {0xF0, 0xF0, 0x90, 0xBF, 2},
                      {0xF1, 0xF3, 0x80, 0xBF, 2}, {0xF4, 0xF4, 0x80, 0x8F, 2}};
  std::size_t i = 0;
  while (i < text.size()) {
    if (in(i, 0, 0x7F)) {
      ++i;
      continue;
    }
    std::size_t taken = 0;
    for (const Row& row : rows) {
      if (!in(i, row.first_low, row.first_high) || !in(i + 1, row.second_low, row.second_high)) continue;
      taken = 2;
      for (int k = 0; k < row.rest && taken > 0; ++k) taken = in(i + taken, 0x80, 0xBF) ? taken + 1 : 0;
    }
    if (taken == 0) return i;
    i += taken;
  }
  return text.size();
}

}  // namespace

TEST_CASE("every code point survives UTF-8, and nothing else is a character") {
  std::string text;
  std::uint32_t wrong = 0;
  for (char32_t code = 0; code <= 0x1FFFFF; ++code) {
    text.clear();
    utf8::append(code, text);
    const Character c = utf8::decode(text);
    wrong += c.code != code || c.size != text.size() || (c.flaw == Flaw::none) != is_character(code);
  }
  CHECK(wrong == 0);
}

TEST_CASE("a flaw has a kind and an extent") {
  CHECK(utf8::decode("\x80").size == 1);
  CHECK(utf8::decode("\x80").flaw == Flaw::stray);
  CHECK(utf8::decode("\xBFx").flaw == Flaw::stray);
  CHECK(utf8::decode("\xF8\x88\x80\x80\x80").flaw == Flaw::stray);
  CHECK(utf8::decode("\xFF").flaw == Flaw::stray);
  CHECK(utf8::decode("\xC3").flaw == Flaw::cut);
  CHECK(utf8::decode("\xE9 ").flaw == Flaw::cut);
  CHECK(utf8::decode("\xE2\x82").size == 2);
  CHECK(utf8::decode(std::string_view("\xE2\x82\xAC").substr(0, 2)).flaw == Flaw::cut);  // what follows is not the text
  CHECK(utf8::decode("\xE2\x82").flaw == Flaw::cut);
  CHECK(utf8::decode("\xF0\x9F\x98").flaw == Flaw::cut);
  CHECK(utf8::decode("\xC0\x80").flaw == Flaw::overlong);
  CHECK(utf8::decode("\xC1\xBF").flaw == Flaw::overlong);
  CHECK(utf8::decode("\xE0\x9F\xBF").flaw == Flaw::overlong);
  CHECK(utf8::decode("\xF0\x8F\xBF\xBF").flaw == Flaw::overlong);
  CHECK(utf8::decode("\xED\xA0\x80").flaw == Flaw::surrogate);
  CHECK(utf8::decode("\xED\xBF\xBF").flaw == Flaw::surrogate);
  CHECK(utf8::decode("\xF4\x90\x80\x80").flaw == Flaw::beyond);
  CHECK(utf8::decode("\xF4\x8F\xBF\xBF") == Character{0x10FFFF, 4, Flaw::none});
}

TEST_CASE("the first flaw of random bytes is where the table of well-formed sequences ends") {
  const unsigned char palette[] = {'a',  '\n', 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2,
                                   0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF};
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    CAPTURE(seed);
    const Random random{seed};
    std::string text;
    for (std::uint64_t i = 0, n = random.below(12, 99); i < n; ++i)
      text += static_cast<char>(palette[random.below(sizeof palette, i)]);
    const std::size_t bad = first_bad(text);
    if (bad == text.size()) {
      CHECK_NOTHROW(utf8::check(text));
    } else {
      CHECK_THROWS_WITH_AS(utf8::check(text), doctest::Contains(("byte " + std::to_string(bad) + ",").c_str()), Error);
    }
  }
}

TEST_CASE("the complaint tells place, bytes, reason and way out") {
  CHECK_THROWS_WITH_AS(utf8::check("caf\xE9 ol\xE9\n", "menu.txt"),
                       "menu.txt: byte 3, line 1: expected UTF-8, found E9 (a character cut short); convert the text "
                       "to UTF-8, or read it with Bytes, which takes anything",
                       Error);
  CHECK_THROWS_WITH_AS(utf8::check("a\nb\n\xED\xA0\x80"),
                       "text: byte 4, line 3: expected UTF-8, found ED A0 80 (half of a surrogate pair); convert the "
                       "text to UTF-8, or read it with Bytes, which takes anything",
                       Error);
}

TEST_CASE("the ASCII prefix ends at the first other byte") {
  for (std::size_t size = 0; size < 40; ++size) {
    CHECK(utf8::ascii_prefix(std::string(size, 'x')) == size);
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, '\x7F');
      text[at] = '\x80';
      CHECK(utf8::ascii_prefix(text) == at);
    }
  }
}

TEST_CASE("length counts characters") {
  CHECK(utf8::length("") == 0);
  CHECK(utf8::length("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80") == 4);
}

TEST_CASE("characters in messages show what they are") {
  CHECK(utf8::printable('x') == "'x' (U+0078)");
  CHECK(utf8::printable(0xE9) == "'\xC3\xA9' (U+00E9)");
  CHECK(utf8::printable(0x1F600) == "'\xF0\x9F\x98\x80' (U+1F600)");
  CHECK(utf8::printable('\n') == "'\\n' (U+000A)");
  CHECK(utf8::printable('\t') == "'\\t' (U+0009)");
  CHECK(utf8::printable('\r') == "'\\r' (U+000D)");
  CHECK(utf8::printable(0) == "U+0000");
  CHECK(utf8::printable(0x7F) == "U+007F");
  CHECK(utf8::printable(0x9F) == "U+009F");
  CHECK(utf8::printable(0x10FFFF) == "'\xF4\x8F\xBF\xBF' (U+10FFFF)");
}
