#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <rwkv/core/random.hpp>
#include <rwkv/io/mapped_file.hpp>
#include <rwkv/text/batches.hpp>
#include <rwkv/text/corpus.hpp>

#include "temporary_file.hpp"

using namespace std::string_literals;
using rwkv::Bytes;
using rwkv::Characters;
using rwkv::Corpus;
using rwkv::dim_t;
using rwkv::Error;
using rwkv::Random;
using rwkv::Tokenizer;
using Ids = std::vector<std::int32_t>;

namespace {

Ids all(const Corpus& corpus) {
  Ids ids(static_cast<std::size_t>(corpus.size()));
  corpus.read(0, ids);
  return ids;
}

/// n different characters from `first` on, three times.
std::string repertoire(char32_t first, char32_t n) {
  std::string text;
  for (int pass = 0; pass < 3; ++pass)
    for (char32_t code = first; code < first + n; ++code)
      if (code < 0xD800 || code >= 0xE000) rwkv::utf8::append(code, text);
  return text;
}

}  // namespace

TEST_CASE("a corpus is the tokens of its file, however it is stored") {
  const std::string texts[] = {
      "to be or not to be\n",       "x", repertoire(0, 128),  // seen through the file
      repertoire(0xA0, 3),                                    // one byte
      repertoire(0x80, 256),                                  // one byte, full
      repertoire(0x80, 257),                                  // two bytes
      repertoire(0x10000, 0x10000),                           // two bytes, full
      repertoire(0x10000, 0x10001),                           // four bytes
  };
  for (const std::string& text : texts) {
    CAPTURE(text.size());
    const TemporaryFile file(text);
    const Corpus characters = Corpus::by_characters(file.path());
    CHECK(characters.tokenizer() == Tokenizer(Characters(text)));
    CHECK(all(characters) == characters.tokenizer().encode(text));
    CHECK(characters.name() == file.path());
    const Corpus bytes(file.path(), Bytes{});
    CHECK(bytes.size() == static_cast<dim_t>(text.size()));
    CHECK(all(bytes) == Tokenizer().encode(text));
    CHECK(all(Corpus::of_text(text, Characters(text))) == all(characters));
    CHECK(all(Corpus(file.path(), characters.tokenizer())) == all(characters));
  }
}

TEST_CASE("bytes need not be UTF-8") {
  const TemporaryFile file("\xFF\x00\x80"s);
  CHECK(all(Corpus(file.path(), Bytes{})) == Ids{0xFF, 0, 0x80});
}

TEST_CASE("a corpus outlives its file's name, and its copies each other") {
  auto file = std::make_unique<TemporaryFile>("abcabc");
  auto first = std::make_unique<Corpus>(Corpus::by_characters(file->path()));
  const Corpus part = first->slice(1, 3);
  first.reset();
  file.reset();
  CHECK(all(part) == Ids{1, 2, 0});
}

TEST_CASE("slices of slices read what the whole would") {
  const std::string texts[] = {"the quick brown fox jumps over the lazy dog", repertoire(0x400, 40),
                               repertoire(0x400, 300)};
  for (const std::string& text : texts) {
    const Corpus whole = Corpus::of_text(text, Characters(text));
    const Ids ids = all(whole);
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      CAPTURE(seed);
      const Random random{seed};
      std::uint64_t draws = 0;
      const auto below = [&](dim_t n) {
        return static_cast<dim_t>(random.below(static_cast<std::uint64_t>(n) + 1, draws++));
      };
      const dim_t a = below(whole.size()), m = below(whole.size() - a), b = below(m), n = below(m - b);
      const Corpus part = whole.slice(a, m).slice(b, n);
      CHECK(part.size() == n);
      CHECK(all(part) == Ids(ids.begin() + a + b, ids.begin() + a + b + n));
    }
  }
}

TEST_CASE("the two parts of a split are the whole") {
  const Corpus whole = Corpus::of_text("0123456789", Bytes{});
  for (const double fraction : {0.0, 0.09, 0.5, 0.9, 0.999, 1.0}) {
    CAPTURE(fraction);
    const auto [first, rest] = whole.split(fraction);
    CHECK(first.size() == static_cast<dim_t>(fraction * 10));
    Ids ids = all(first);
    for (const std::int32_t id : all(rest)) ids.push_back(id);
    CHECK(ids == all(whole));
  }
  CHECK_THROWS_WITH_AS(whole.split(1.5),
                       "text: expected a fraction from 0 to 1 to split at, found 1.5; 0.9 keeps nine tenths for "
                       "training",
                       Error);
  CHECK_THROWS_WITH_AS(whole.split(-0.1), doctest::Contains("a fraction from 0 to 1"), Error);
  CHECK_THROWS_AS(whole.split(std::nan("")), Error);
}

TEST_CASE("reading and slicing stay within the corpus") {
  const Corpus corpus = Corpus::of_text("0123456789", Bytes{}).slice(2, 5);
  Ids out(3);
  CHECK_NOTHROW(corpus.read(2, out));
  CHECK(out == Ids{'4', '5', '6'});
  CHECK_NOTHROW(corpus.read(5, {}));
  CHECK_THROWS_WITH_AS(corpus.read(3, out),
                       "tokens 2 to 6 of text: expected a range within 5 tokens, found 3 from 3; take a shorter or an "
                       "earlier one",
                       Error);
  CHECK_THROWS_AS(corpus.read(-1, out), Error);
  CHECK_THROWS_AS(corpus.read(6, {}), Error);
  constexpr dim_t huge = std::numeric_limits<dim_t>::max();
  CHECK_THROWS_AS(corpus.read(huge, out), Error);
  CHECK_THROWS_AS(corpus.slice(0, 6), Error);
  CHECK_THROWS_AS(corpus.slice(0, -1), Error);
  CHECK_THROWS_AS(corpus.slice(1, huge), Error);
  CHECK_THROWS_AS(corpus.slice(std::numeric_limits<dim_t>::min(), 1), Error);
}

TEST_CASE("what makes no corpus is refused, with file and place") {
  CHECK_THROWS_WITH_AS(Corpus("no/such.txt", Bytes{}), doctest::Contains("no/such.txt: expected a file to read"),
                       Error);
  const TemporaryFile empty("");
  const std::string nothing = empty.path() + ": expected a text, found no bytes; give one with at least one character";
  CHECK_THROWS_WITH_AS(Corpus(empty.path(), Bytes{}), nothing.c_str(), Error);
  CHECK_THROWS_WITH_AS(Corpus::by_characters(empty.path()), nothing.c_str(), Error);

  const TemporaryFile latin("one\ntwo\nol\xE9\n");
  const std::string bad = latin.path() +
                          ": byte 10, line 3: expected UTF-8, found E9 (a character cut short); convert "
                          "the text to UTF-8, or read it with Bytes, which takes anything";
  CHECK_THROWS_WITH_AS(Corpus::by_characters(latin.path()), bad.c_str(), Error);
  CHECK_THROWS_WITH_AS(Corpus(latin.path(), Characters("olentw\n")), bad.c_str(), Error);
}

TEST_CASE("a validation text with a character the training text lacks is refused") {
  const Tokenizer training = Characters("abc \n");
  for (const std::string found : {"d", "\xC3\xA9"}) {
    const TemporaryFile validation("a b\nc" + found + " d");
    const std::string character = found == "d" ? "'d' (U+0064)" : "'\xC3\xA9' (U+00E9)";
    CHECK_THROWS_WITH_AS(
        Corpus(validation.path(), training),
        (validation.path() + ": byte 5, line 2: expected the 5 characters of the vocabulary, found " + character +
         "; build the vocabulary from a text that has it, take it out, or use Bytes, "
         "which takes anything")
            .c_str(),
        Error);
  }
}

TEST_CASE("a part is called by what it is of which text") {
  const Corpus whole = Corpus::of_text(std::string(901, 'a'), Bytes{}, "notes.txt");
  const auto [first, rest] = whole.split(0.9);
  CHECK(first.name() == "the first 90 % of notes.txt");
  CHECK(rest.name() == "the last 10 % of notes.txt");
  CHECK(rest.size() == 91);
  CHECK(rest.slice(3, 2).name() == "tokens 3 to 4 of the last 10 % of notes.txt");
  CHECK(whole.slice(0, 901).name() == "notes.txt");
  CHECK(whole.split(1).first.name() == "notes.txt");
  CHECK(whole.split(1.0 / 3).second.name() == "the last 66.67 % of notes.txt");
  CHECK_THROWS_WITH_AS(rwkv::RandomWindows(rest, {.batch = 8, .time = 128}),
                       "the last 10 % of notes.txt: expected at least 129 tokens, a context of 128 and the token after "
                       "it, found 91; give a longer text, or a shorter context (time)",
                       Error);
}

namespace {
void write(const std::string& path, const std::string& content) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  std::fwrite(content.data(), 1, content.size(), file);
  std::fclose(file);
}
}  // namespace

TEST_CASE("a text that is cut short, emptied or grown while it is in use is an error that names the file") {
  const std::string text = repertoire('a', 26) + std::string(100000, 'x');
  for (const std::size_t left : {std::size_t{0}, std::size_t{10}, text.size() - 1, text.size() + 1})
    for (const bool bytes : {true, false}) {
      CAPTURE(left);
      const TemporaryFile file(text);
      const Corpus corpus = bytes ? Corpus(file.path(), Bytes{}) : Corpus::by_characters(file.path());
      const Corpus part = corpus.slice(5, 50);
      Ids ids(20);
      corpus.read(0, ids);
      REQUIRE(truncate(file.path().c_str(), static_cast<off_t>(left)) == 0);
      const std::string words = file.path() + ": expected " + std::to_string(text.size()) +
                                " bytes that stay as they were when the file was opened, found " +
                                std::to_string(left) +
                                " bytes, changed since; put the old ones back, and leave a file that is in use alone";
      for (const dim_t first : {dim_t{0}, corpus.size() - 20})
        CHECK_THROWS_WITH_AS(corpus.read(first, ids), words.c_str(), Error);
      CHECK_THROWS_WITH_AS(part.read(0, ids), words.c_str(), Error);
      CHECK_THROWS_WITH_AS(rwkv::RandomWindows(corpus, {2, 8}).at(0), words.c_str(), Error);
      CHECK_THROWS_WITH_AS(rwkv::ContiguousBatches(corpus, {2, 8}).at(0), words.c_str(), Error);
    }
}

TEST_CASE("a text of the same length that is written over is noticed; one that is replaced stays the old one") {
  const TemporaryFile file("to be or not to be"), other("TO BE OR NOT TO BE");
  const Corpus corpus(file.path(), Bytes{});
  const Ids before = all(corpus);
  REQUIRE(rename(other.path().c_str(), file.path().c_str()) == 0);
  CHECK(all(corpus) == before);

  const TemporaryFile mine("to be or not to be");
  const Corpus in_use(mine.path(), Bytes{});
  usleep(20000);  // file systems count time in steps of some milliseconds
  write(mine.path(), "TO BE OR NOT TO BE");
  CHECK_THROWS_WITH_AS(all(in_use), doctest::Contains(" bytes, changed since; "), Error);
}

TEST_CASE("a text that was decoded is kept as it was") {
  const TemporaryFile file("\xC3\xA4\xC3\xB6\xC3\xA4");
  const Corpus corpus = Corpus::by_characters(file.path());
  REQUIRE(truncate(file.path().c_str(), 0) == 0);
  CHECK(all(corpus) == Ids{0, 1, 0});
}

TEST_CASE("a text is the same in pieces as whole: its bytes, and characters that pieces cut") {
  std::string text((std::size_t{1} << 20) - 1, 'a');
  text += "\xE2\x82\xAC";  // across the end of the first piece
  const TemporaryFile file(text);
  CHECK(rwkv::TextFile(file.path()).distinct_bytes() == "a\x82\xAC\xE2");
  CHECK(rwkv::TextFile(file.path()).whole() == text);
  const Corpus corpus = Corpus::by_characters(file.path());
  CHECK(corpus.size() == 1 << 20);
  CHECK(corpus.tokenizer() == Tokenizer(Characters(text)));
  text.assign((std::size_t{3} << 20) + 5, 'b'), text.back() = 'c';
  const TemporaryFile ascii(text);
  CHECK(Corpus::by_characters(ascii.path()).tokenizer() == Tokenizer(Characters("bc")));
  CHECK(all(Corpus(ascii.path(), Bytes{})) == Tokenizer().encode(text));
}

TEST_CASE("forty megabytes are read whole") {
#ifdef RWKV_SHARED_DIR
  const std::string path = std::string(RWKV_SHARED_DIR) + "/data/wikipedia-en/train.txt";
#else
  const std::string path;
#endif
  if (!std::filesystem::exists(path)) {
    MESSAGE("skipped: no data/wikipedia-en/train.txt in the shared directory");
    return;
  }
  const Corpus corpus = Corpus::by_characters(path);
  CHECK(corpus.size() == 39999166);
  CHECK(corpus.tokenizer().size() == 96);
  Ids ids(64);
  corpus.read(corpus.size() - 64, ids);
  const rwkv::MappedFile file(path);
  CHECK(corpus.tokenizer().decode(ids) == file.text().substr(file.text().size() - 64));
}
