#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>

#include <rwkv/text/bpe.hpp>
#include <rwkv/text/world.hpp>

#include "golden_ids.hpp"

// Whole texts by the vocabularies that models were released with, where those are: they are too large for a repository.

namespace {

std::string data(const std::string& path) {
#ifdef RWKV_SHARED_DIR
  return std::string(RWKV_SHARED_DIR) + "/data/" + path;
#else
  return path;
#endif
}
/// The path, empty, with a word why, where nothing is.
std::string there(const std::string& path) {
  if (std::filesystem::exists(data(path))) return data(path);
  MESSAGE("skipped: no data/", path, " in the shared directory");
  return {};
}
/// Compares with the hashes of tests/golden/tokenizer_ids.txt.
template <class Tokenizer>
void compare(const std::string& name, const Tokenizer& tokenizer) {
  std::istringstream rows(whole_file(golden("tokenizer_ids.txt")));
  int compared = 0;
  for (std::string by, text, count, hash; rows >> by >> text >> count >> hash;) {
    if (by != name) continue;
    CAPTURE(text);
    const std::string path = text == "valid"             ? there("wikipedia-en/valid.txt")
                             : text == "tinyshakespeare" ? there("tinyshakespeare/input.txt")
                                                         : std::string();
    if (path.empty() && text != "made") continue;
    CHECK(told(tokenizer.encode(text == "made" ? made_text() : whole_file(path))) == count + " " + hash);
    ++compared;
  }
  CHECK(compared > 0);
}

}  // namespace

TEST_CASE("the World tokenizer of released models gives the official ids") {
  const std::string path = there("tokenizers/rwkv_vocab_v20230424.txt");
  if (path.empty()) return;
  const rwkv::World world = rwkv::World::open(path);
  CHECK(world.size() == 65530);
  CHECK(rwkv::World::from_vocabulary_file(world.file()) == world);
  compare("world", world);
  for (const char* file : {"rwkv-files/tokenizers/strings.jsonl", "rwkv-files/tokenizers/world-bytes.jsonl"}) {
    if (there(file).empty()) continue;
    for (const GoldenIds& row : golden_ids(data(file)).texts) {
      CAPTURE(row.text);
      CHECK(world.encode(row.text) == row.world);
    }
  }
}

TEST_CASE("the tokenizer of models of the Pile gives the official ids") {
  const std::string path = there("tokenizers/20B_tokenizer.json");
  if (path.empty()) return;
  const rwkv::Bpe bpe = rwkv::Bpe::open(path);
  CHECK(bpe.size() == 50277);
  CHECK(bpe.end_of_text() == 0);
  compare("20b", bpe);
  if (there("rwkv-files/tokenizers/strings.jsonl").empty()) return;
  for (const GoldenIds& row : golden_ids(data("rwkv-files/tokenizers/strings.jsonl")).texts) {
    CAPTURE(row.text);
    CHECK(bpe.encode(row.text) == row.bpe);
  }
}

TEST_CASE("GPT-2's tokenizer gives the official ids") {
  const std::string path = there("tokenizers/encoder.json");
  if (path.empty() || there("tokenizers/vocab.bpe").empty()) return;
  const rwkv::Bpe bpe = rwkv::Bpe::open(path, data("tokenizers/vocab.bpe"));
  CHECK(bpe.size() == 50257);
  compare("gpt2", bpe);
  if (there("rwkv-files/tokenizers/strings.jsonl").empty()) return;
  for (const GoldenIds& row : golden_ids(data("rwkv-files/tokenizers/strings.jsonl")).texts) {
    CAPTURE(row.text);
    CHECK(bpe.encode(row.text) == row.gpt2);
  }
}
