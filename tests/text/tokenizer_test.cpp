#include <concepts>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <rwkv/core/random.hpp>
#include <rwkv/text/tokenizer.hpp>

using namespace std::string_literals;
using rwkv::Bytes;
using rwkv::Characters;
using rwkv::Error;
using rwkv::Random;
using rwkv::Tokenizer;
using Ids = std::vector<std::int32_t>;

static_assert(std::regular<Tokenizer>);

namespace {

/// Code points of all four lengths, some of them often.
std::string random_text(std::uint64_t seed) {
  const Random random{seed};
  std::string text;
  for (std::uint64_t i = 0, n = 1 + random.below(200, 1 << 20); i < n; ++i) {
    const char32_t limits[] = {0x80, 0x800, 0xD800, 0x110000};
    char32_t code = static_cast<char32_t>(random.below(limits[random.below(4, 2 * i)], 2 * i + 1));
    if (code >= 0xD800 && code < 0xE000) code = U'é';
    rwkv::utf8::append(code, text);
  }
  return text;
}

}  // namespace

TEST_CASE("bytes are their own tokens") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const Tokenizer bytes;
  const Ids ids = bytes.encode(all);
  REQUIRE(ids.size() == 256);
  for (int i = 0; i < 256; ++i) CHECK(ids[static_cast<std::size_t>(i)] == i);
  CHECK(bytes.decode(ids) == all);
  CHECK(bytes.size() == 256);
  CHECK(bytes.encode("").empty());
}

TEST_CASE("characters of a text are numbered by code point") {
  const Characters some("hello,\n\xF0\x9F\x98\x80\xC3\xA9");
  CHECK(some.size() == 8);
  CHECK(some.vocabulary() == "\n,ehlo\xC3\xA9\xF0\x9F\x98\x80");
  CHECK(some.encode("\nhe\xF0\x9F\x98\x80") == Ids{0, 3, 2, 7});
  CHECK(some.id('h') == 3);
  CHECK(some.id('H') == -1);
  CHECK(some.id(0x10FFFF) == -1);
  CHECK(some.id(0xFFFFFFFF) == -1);
}

TEST_CASE("characters of a list are numbered as they stand") {
  const Characters list = Characters::from_vocabulary("zya\xC3\xA9");
  CHECK(list.encode("a\xC3\xA9z") == Ids{2, 3, 0});
  CHECK(list.vocabulary() == "zya\xC3\xA9");
  CHECK(list != Characters("zya\xC3\xA9"));
}

TEST_CASE("decoding undoes encoding, before and after the metadata") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const std::string text = random_text(seed);
    const Tokenizer characters = Characters(text);
    const Ids ids = characters.encode(text);
    CHECK(ids.size() == rwkv::utf8::length(text));
    CHECK(characters.decode(ids) == text);
    for (const std::int32_t id : ids) CHECK((id >= 0 && id < characters.size()));

    const Tokenizer again = Tokenizer::from_metadata(characters.metadata());
    CHECK(again == characters);
    CHECK(again.encode(text) == ids);
    CHECK(Tokenizer(Characters::from_vocabulary(characters.metadata()["vocabulary"])) == characters);
    CHECK(Tokenizer(Bytes{}).decode(Tokenizer(Bytes{}).encode(text)) == text);
  }
}

TEST_CASE("metadata has the kind, the vocabulary where there is one, and may have more") {
  CHECK(Tokenizer(Bytes{}).metadata() == Tokenizer::Metadata{{"tokenizer", "bytes"}});
  const Tokenizer zero = Characters("b\0a\n"s);
  CHECK(zero.metadata() == Tokenizer::Metadata{{"tokenizer", "characters"}, {"vocabulary", "\0\nab"s}});
  CHECK(Tokenizer::from_metadata({{"tokenizer", "bytes"}, {"format", "x"}}) == Tokenizer());
  CHECK(Tokenizer::from_metadata({{"tokenizer", "characters"}, {"vocabulary", "ba"}}) != Tokenizer(Characters("ab")));
}

TEST_CASE("what the vocabulary lacks is named, with its place") {
  const Tokenizer abc = Characters("abc\n");
  CHECK_THROWS_WITH_AS(abc.encode("ab\nc\xC3\xA9"),
                       "text: byte 4, line 2: expected the 4 characters of the vocabulary, found '\xC3\xA9' (U+00E9); "
                       "build the vocabulary from a text that has it, take it out, or use Bytes, which takes anything",
                       Error);
  CHECK_THROWS_WITH_AS(abc.encode("ab\t"), doctest::Contains("text: byte 2, line 1: "), Error);
  CHECK_THROWS_WITH_AS(abc.encode("a\xFF"),
                       "text: byte 1, line 1: expected UTF-8, found FF (a byte that starts no character); convert the "
                       "text to UTF-8, or read it with Bytes, which takes anything",
                       Error);
}

TEST_CASE("tokens beyond the vocabulary are refused") {
  std::string out = "kept";
  for (const std::int32_t id : {-1, 4, 1 << 30}) {
    CAPTURE(id);
    CHECK_THROWS_WITH_AS(Tokenizer(Characters("abcd")).append(id, out),
                         ("token " + std::to_string(id) +
                          ": expected 0 to 3, which the tokenizer \"characters\" has; use the tokenizer that was saved "
                          "with the model")
                             .c_str(),
                         Error);
  }
  CHECK_THROWS_WITH_AS(Tokenizer().append(256, out), doctest::Contains("token 256: expected 0 to 255"), Error);
  CHECK(out == "kept");
}

TEST_CASE("what makes no tokenizer is refused") {
  CHECK_THROWS_WITH_AS(Characters("", "empty.txt"),
                       "empty.txt: expected the characters of a text, found no text; give a longer one", Error);
  CHECK_THROWS_WITH_AS(Characters("\x80", "bad.txt"), doctest::Contains("bad.txt: byte 0, line 1: "), Error);
  CHECK_THROWS_WITH_AS(Characters::from_vocabulary("ab\nca"),
                       "vocabulary: byte 4, line 2: expected every character once, found 'a' (U+0061) again; remove "
                       "it, or build Characters from a text",
                       Error);
  CHECK_THROWS_WITH_AS(Tokenizer::from_metadata({{"tokenizer", "characters"}}),
                       "vocabulary: expected at least one character, found none; list them", Error);
  CHECK_THROWS_WITH_AS(Tokenizer::from_metadata({{"format", "pt"}}),
                       "metadata: expected the key \"tokenizer\", found none; the model was saved without its "
                       "tokenizer, name one yourself",
                       Error);
  CHECK_THROWS_WITH_AS(Tokenizer::from_metadata({{"tokenizer", "words"}}),
                       "metadata: expected for \"tokenizer\" one of \"bytes\", \"characters\", found \"words\"; the "
                       "file was written by another version of the library, use that one",
                       Error);
}
