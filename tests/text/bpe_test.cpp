#include <doctest/doctest.h>

#include <rwkv/text/bpe.hpp>

#include "golden_ids.hpp"

using namespace std::string_literals;
using rwkv::Bpe;
using rwkv::Error;

namespace {

std::string small_json() {
  return whole_file(golden("tokenizers/bpe.json"));
}
Bpe small() {
  return Bpe::from_json(small_json());
}
std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  REQUIRE_MESSAGE(at != std::string::npos, what);
  return text.replace(at, what.size(), with);
}
std::string decoded(const Bpe& bpe, const Ids& ids) {
  std::string out;
  for (const std::int32_t id : ids) bpe.append(id, out);
  return out;
}

}  // namespace

TEST_CASE("BPE of tokenizer.json, with normal form and runs of spaces, gives the ids of Hugging Face's") {
  const Bpe bpe = small();
  CHECK(bpe.size() == 428);
  CHECK(bpe.end_of_text() == 0);
  const GoldenFile expected = golden_ids(golden("tokenizers/ids.jsonl"));
  REQUIRE(expected.texts.size() > 20);
  for (const GoldenIds& row : expected.texts) {
    CAPTURE(row.text);
    CHECK(bpe.encode(row.text) == row.bpe);
  }
  CHECK(told(bpe.encode(made_text())) == expected.made.at(0));
}

TEST_CASE("BPE of vocab.json and merges.txt gives the ids of Hugging Face's, and its tokens say the text") {
  const Bpe bpe = Bpe::open(golden("tokenizers/vocab.json"), golden("tokenizers/merges.txt"));
  CHECK(bpe.end_of_text() == 0);
  const GoldenFile expected = golden_ids(golden("tokenizers/ids.jsonl"));
  for (const GoldenIds& row : expected.texts) {
    CAPTURE(row.text);
    CHECK(bpe.encode(row.text) == row.gpt2);
    CHECK(decoded(bpe, row.gpt2) == row.text);
  }
  const std::string text = made_text();
  CHECK(told(bpe.encode(text)) == expected.made.at(1));
  CHECK(decoded(bpe, bpe.encode(text)) == text);
}

TEST_CASE("a tokenizer.json that is written reads the same, and its hash is that of its tokens") {
  const Bpe bpe = small();
  const Bpe again = Bpe::from_json(bpe.file());
  CHECK(again == bpe);
  CHECK(again.content_hash().value() == bpe.content_hash().value());
  const Bpe two = Bpe::open(golden("tokenizers/vocab.json"), golden("tokenizers/merges.txt"));
  CHECK(two != bpe);
  CHECK(Bpe::from_json(two.file()) == two);
  const Bpe without = Bpe::from_json(replaced(small_json(), "{\"type\":\"NFC\"}", "null"));
  CHECK(without != bpe);
  CHECK(without.content_hash().value() != bpe.content_hash().value());
}

TEST_CASE("merges may be pairs, as newer files have them, or texts") {
  std::string json = small_json();
  const std::size_t at = json.find("\"merges\":[[");
  std::string rest = at == json.npos ? json.substr(json.find("\"merges\":[")) : "";
  if (at == json.npos) {
    std::string pairs = "\"merges\":[";
    for (std::size_t from = 10, open = 0; (open = rest.find('"', from)) != rest.npos;) {
      const std::size_t space = rest.find(' ', open), close = rest.find('"', space);
      pairs += (pairs.back() == '[' ? "[" : ",[") + rest.substr(open, space - open) + "\",\"" +
               rest.substr(space + 1, close - space) + "]";
      from = close + 1;
    }
    json = json.substr(0, json.find("\"merges\":[")) + pairs + "]}}";
    CHECK(Bpe::from_json(json) == small());
  } else {
    CHECK(Bpe::from_json(small().file()) == small());  // which writes texts
  }
}

TEST_CASE("BPE takes UTF-8 alone, and long words") {
  const Bpe bpe = small();
  CHECK_THROWS_WITH_AS(bpe.encode("a\nb\xFF"), doctest::Contains("text: byte 3, line 2: expected UTF-8, found FF"),
                       Error);
  const std::string word(100000, 'e');
  CHECK(decoded(bpe, bpe.encode(word)) == word);
  std::string out;
  CHECK_THROWS_WITH_AS(bpe.append(428, out), doctest::Contains("token 428: expected 0 to 427"), Error);
}

TEST_CASE("words that come again, and more of them than are remembered, are encoded alike") {
  const Bpe bpe = Bpe::open(golden("tokenizers/vocab.json"), golden("tokenizers/merges.txt"));
  std::string text;
  Ids one_by_one;
  for (int i = 0; i < 300000; ++i) {
    const std::string word = " w" + std::string(1, char('a' + i % 26)) + (i % 3 == 0 ? "the" : "of") +
                             std::string(1, char('a' + i / 26 % 26)) + std::string(1, char('a' + i / 676 % 26)) +
                             std::string(1, char('a' + i / 17576));
    text += word;
    if (i % 1000 == 0 || i > 299000) {
      const Ids ids = bpe.encode(word);
      one_by_one.insert(one_by_one.end(), ids.begin(), ids.end());
      CHECK(decoded(bpe, ids) == word);
    }
  }
  const Ids ids = bpe.encode(text + text);
  CHECK(Ids(ids.begin(), ids.begin() + std::ptrdiff_t(ids.size() / 2)) ==
        Ids(ids.begin() + std::ptrdiff_t(ids.size() / 2), ids.end()));
  CHECK(decoded(bpe, ids) == text + text);
  CHECK(std::equal(one_by_one.rbegin(), one_by_one.rbegin() + 1000, ids.rbegin()));
}

TEST_CASE("a damaged or another tokenizer.json is refused, with the place") {
  const std::string good = small_json();
  const auto refused = [&](const std::string& what, const std::string& with, const std::string& message) {
    CAPTURE(with);
    CHECK_THROWS_WITH_AS(Bpe::from_json(replaced(good, what, with), "t.json"), doctest::Contains(message.c_str()),
                         Error);
  };
  refused("\"!\":2", "\"!\":3", "t.json: token 3: expected one text, and every text once, found");
  refused("\"!\":2", "\"!\":400000000",
          "token \"!\": expected a number from 0 to 429, as there are so many tokens, found 400000000");
  refused("\"!\":2", "\"!\":99999999999", "model.vocab: \"!\": expected a whole number below 2^31, found 99999999999");
  refused("\"!\":2", "\"!\":-2", "model.vocab: \"!\": expected a whole number below 2^31, found another number");
  refused("\"!\":2", "\"!\":[2]", "found an array");
  refused("\"!\":2,", "", "expected tokens 0 to 426, found none of number 2");
  refused("\"!\":2", "\"!!\":2", "expected every byte among the tokens, found none of byte 33 (\"!\")");
  refused("\"type\":\"NFC\"", "\"type\":\"Lowercase\"",
          "t.json: normalizer.type: expected \"NFC\", found \"Lowercase\"; only byte-level BPE");
  refused("\"type\":\"BPE\"", "\"type\":\"Unigram\"", "model.type: expected \"BPE\", found \"Unigram\"");
  refused("\"type\":\"BPE\",", "", "found none of its model.type");
  refused("\"add_prefix_space\":false", "\"add_prefix_space\":true",
          "pre_tokenizer.add_prefix_space: expected false, found true");
  refused("\"use_regex\":true", "\"use_regex\":false", "pre_tokenizer.use_regex: expected true, found false");
  refused("\"dropout\":null", "\"dropout\":0.1", "model.dropout: expected null, found another number");
  refused("\"lstrip\":false", "\"lstrip\":true", "added_tokens: lstrip: expected false, found true");
  refused("\"id\":0,", "\"id\":0.5,", "added_tokens: id: expected a whole number below 2^31");
  refused("\"id\":0,", "\"id\":1,", "every text once, found \"<|endoftext|>\" a second time");
  refused("\"model\":{", "\"model\":[],\"x\":{", "model: expected an object, found an array");
  refused("\"merges\":[", "\"merges\":[7,", "model.merges: expected pairs of texts, found 7");
  refused("\"merges\":[", "\"merges\":[\"abc\",", "model.merges: expected pairs of texts, found \"abc\"");
  refused("\"merges\":[", "\"merges\":[\"a b c\",", "model.merges: expected pairs of texts");
  refused("\"merges\":[", "\"merges\":[[\"a\"],[\"a\",\"b\"],", "model.merges");
  refused("\"merges\":[", "\"merges\":[[\"a\",\"b\",\"c\"],", "model.merges");
  refused("\"merges\":[", "\"merges\":[\"zz q\",",
          "t.json: merge 1, \"zz q\": expected texts of tokens, found \"zz\", which is none");
  CHECK_THROWS_WITH_AS(Bpe::from_json("{}", "t.json"),
                       doctest::Contains("expected the tokenizer.json of a byte-level BPE tokenizer"), Error);
  CHECK_THROWS_WITH_AS(Bpe::from_json("[]", "t.json"),
                       doctest::Contains("the file: expected an object, found an array"), Error);
  CHECK_THROWS_WITH_AS(Bpe::from_json("{\"a\" 1}", "t.json"),
                       doctest::Contains("t.json: expected JSON, found what is none at byte 6"), Error);
  for (std::size_t n = 0; n < good.find_last_of('}'); n += n < good.size() - 50 ? 7 : 1)
    CHECK_THROWS_AS(Bpe::from_json(good.substr(0, n)), Error);
}

TEST_CASE("a damaged vocab.json or merges.txt is refused, with the line") {
  const std::string vocabulary = whole_file(golden("tokenizers/vocab.json")),
                    merges = whole_file(golden("tokenizers/merges.txt"));
  const auto refused = [&](const std::string& v, const std::string& m, const std::string& message) {
    CHECK_THROWS_WITH_AS(Bpe::from_vocabulary_and_merges(v, m), doctest::Contains(message.c_str()), Error);
  };
  CHECK(Bpe::from_vocabulary_and_merges(vocabulary, merges).size() == 420);
  std::string windows;
  for (const char c : merges) windows += c == '\n' ? "\r\n" : std::string(1, c);
  CHECK(Bpe::from_vocabulary_and_merges(vocabulary, windows) == Bpe::from_vocabulary_and_merges(vocabulary, merges));
  refused("{\"a\": \"b\"}", merges,
          "vocab.json: expected an object of texts and numbers below 2^31, found \"b\" at \"a\"");
  refused("[1]", merges, "vocab.json: expected an object of texts and numbers below 2^31, found an array; give");
  refused(vocabulary, merges + "abc\n",
          "merges.txt: line 164: expected two texts with a space between them, found \"abc\"");
  refused(vocabulary, merges + "a b c\n", "expected two texts with a space between them");
  refused(vocabulary, merges + "T H\n", "\"T H\": expected every pair once, found it again");
  refused(vocabulary, merges + "T TTTT\n", "\"T TTTT\": expected texts of tokens, found \"TTTT\", which is none");
  refused(vocabulary.substr(0, 300), merges, "vocab.json: expected JSON");
}
