#include <doctest/doctest.h>

#include <rwkv/text/corpus.hpp>
#include <rwkv/text/text_stream.hpp>
#include <rwkv/text/tokenizer.hpp>

using rwkv::Bytes;
using rwkv::Characters;
using rwkv::Corpus;
using rwkv::dim_t;
using rwkv::Error;
using rwkv::Tokenizer;
using Ids = std::vector<std::int32_t>;

namespace {

/// A program's own kind: two letters a token.
struct Pairs {
  static constexpr std::string_view kind = "pairs";
  std::string letters = "ab";

  dim_t size() const { return static_cast<dim_t>(letters.size() * letters.size()); }
  std::vector<std::int32_t> encode(std::string_view text) const {
    Ids ids;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
      ids.push_back(static_cast<std::int32_t>(letters.find(text[i]) * letters.size() + letters.find(text[i + 1])));
    return ids;
  }
  void append(std::int32_t id, std::string& out) const {
    const auto at = static_cast<std::size_t>(id);
    (out += letters[at / letters.size()]) += letters[at % letters.size()];
  }
  std::string vocabulary() const { return letters; }
  static Pairs from_vocabulary(std::string_view list) { return {std::string(list)}; }
  friend bool operator==(const Pairs&, const Pairs&) = default;
};
static_assert(rwkv::TokenizerKind<Pairs> && rwkv::TokenizerKind<Bytes> && rwkv::TokenizerKind<Characters>);
static_assert(!rwkv::TokenizerKind<std::string> && !rwkv::TokenizerKind<Tokenizer>);

/// The least that a kind needs.
struct Nothing {
  static constexpr const char* kind = "nothing";
  static dim_t size() { return 70000; }
  static Ids encode(std::string_view text) { return Ids(text.size(), 69999); }
  static void append(std::int32_t, std::string& out) { out += 'x'; }
  friend bool operator==(const Nothing&, const Nothing&) = default;
};

}  // namespace

TEST_CASE("a program's own kind is a tokenizer like any other") {
  const Tokenizer pairs = Pairs{"abc"};
  CHECK(pairs.kind() == "pairs");
  CHECK(pairs.size() == 9);
  CHECK(pairs.encode("abcc") == Ids{1, 8});
  CHECK(pairs.decode(Ids{1, 8}) == "abcc");
  CHECK(!pairs.end_of_text());
  CHECK(!pairs.byte_table("ab"));
  CHECK(pairs == Tokenizer(Pairs{"abc"}));
  CHECK(pairs != Tokenizer(Pairs{}));
  CHECK(pairs != Tokenizer());
  CHECK(pairs.as<Pairs>()->letters == "abc");
  CHECK(pairs.as<Bytes>() == nullptr);
  CHECK(Tokenizer().as<Bytes>() != nullptr);

  const Corpus corpus = Corpus::of_text("abccab", pairs);
  Ids ids(3);
  corpus.read(0, ids);
  CHECK(ids == Ids{1, 8, 1});
}

TEST_CASE("a program's own kind is saved and found again by a list of kinds") {
  const Tokenizer pairs = Pairs{"abc"};
  CHECK(pairs.metadata() == Tokenizer::Metadata{{"tokenizer", "pairs"}, {"vocabulary", "abc"}});
  CHECK(Tokenizer::from_metadata(pairs.metadata(), rwkv::TokenizerKinds<Bytes, Pairs>{}) == pairs);
  CHECK_THROWS_WITH_AS(Tokenizer::from_metadata(pairs.metadata()),
                       "metadata: expected for \"tokenizer\" one of \"bytes\", \"characters\", found \"pairs\"; the "
                       "file was written by another version of the library, use that one",
                       Error);
  CHECK(Tokenizer(Nothing{}).metadata() == Tokenizer::Metadata{{"tokenizer", "nothing"}});
}

TEST_CASE("a corpus takes as many bytes for a token as the vocabulary needs") {
  const Corpus corpus = Corpus::of_text("abc", Nothing{});
  Ids ids(3);
  corpus.read(0, ids);
  CHECK(ids == Ids{69999, 69999, 69999});
}

TEST_CASE("texts that are longer than what is encoded at once") {
  const std::string text = std::string(4095, 'a') + "b" + std::string(4096, 'c') + "d";
  const Ids ids = Tokenizer().encode(text);
  CHECK(ids == Bytes().encode(text));
  CHECK_THROWS_WITH_AS(Tokenizer(Characters("a")).encode("ab", "notes"), doctest::Contains("notes: byte 1, line 1"),
                       Error);
}

TEST_CASE("a stream gives whole characters, and bytes that are no part of one as they are") {
  const auto stream = [](std::string_view bytes) {
    rwkv::TextStream text{Tokenizer()};
    std::vector<std::string> pieces;
    for (const char byte : bytes) pieces.push_back(text(static_cast<unsigned char>(byte)));
    pieces.push_back(text.rest());
    return pieces;
  };
  using Pieces = std::vector<std::string>;
  CHECK(stream("a\xC3\xA9") == Pieces{"a", "", "\xC3\xA9", ""});
  CHECK(stream("\xE4\xBD\xA0z") == Pieces{"", "", "\xE4\xBD\xA0", "z", ""});
  CHECK(stream("\xF0\x9F\x98\x80") == Pieces{"", "", "", "\xF0\x9F\x98\x80", ""});
  CHECK(stream("\xFFz") == Pieces{"\xFF", "z", ""});
  CHECK(stream("\x80\x80") == Pieces{"\x80", "\x80", ""});
  CHECK(stream("\xE4z\xE4\xE4") == Pieces{"", "\xE4z", "", "\xE4", "\xE4"});
  CHECK(stream("\xC3") == Pieces{"", "\xC3"});
  CHECK(stream("\xF8\xF0\x9F") == Pieces{"\xF8", "", "", "\xF0\x9F"});
}
