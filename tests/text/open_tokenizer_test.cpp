#include <doctest/doctest.h>

#include <rwkv/io/gguf_keys.hpp>
#include <rwkv/text/saved_tokenizer.hpp>

#include "golden_ids.hpp"
#include "temporary_folder.hpp"

using rwkv::Bpe;
using rwkv::Characters;
using rwkv::Error;
using rwkv::open_tokenizer;
using rwkv::save_tokenizer;
using rwkv::Tokenizer;
using rwkv::tokenizer_for;
using rwkv::World;

namespace {

const std::string world = whole_file(golden("tokenizers/world.txt")), json = whole_file(golden("tokenizers/bpe.json")),
                  vocabulary = whole_file(golden("tokenizers/vocab.json")),
                  merges = whole_file(golden("tokenizers/merges.txt"));

std::string message_of(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}
bool says(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != text.npos);
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a tokenizer is opened whatever its file is") {
  const TemporaryFolder folder;
  folder.write("any.txt", world), folder.write("any.json", json);
  folder.write("vocab.json", vocabulary), folder.write("merges.txt", merges);
  CHECK(open_tokenizer(folder / "any.txt") == Tokenizer(World::from_vocabulary_file(world)));
  CHECK(open_tokenizer(folder / "any.json") == Tokenizer(Bpe::from_json(json)));
  const Tokenizer two = Bpe::from_vocabulary_and_merges(vocabulary, merges);
  CHECK(open_tokenizer(folder / "vocab.json") == two);
  CHECK(open_tokenizer(folder / "merges.txt") == two);
  CHECK(open_tokenizer(folder.path()) == two);
  folder.write("tokenizer.json", json);
  CHECK(open_tokenizer(folder.path() + "/") == Tokenizer(Bpe::from_json(json)));
  folder.write("rwkv_vocab_v20230424.txt", world);
  CHECK(open_tokenizer(folder.path()).kind() == "world");
}

TEST_CASE("what is no tokenizer is told, and what would be") {
  const TemporaryFolder folder;
  const auto said = [&](const std::string& name) { return message_of([&] { open_tokenizer(folder / name); }); };
  says(said("none"), "none: expected a file to read, found nothing by that name");
  says(said("."), "expected a folder with a tokenizer, found none; it is a World vocabulary");
  folder.write("a", "Once upon a time\n"), folder.write("b", "version https://git-lfs"), folder.write("c", "");
  says(said("a"),
       "expected a tokenizer, found a text; it is a World vocabulary (rwkv_vocab_v20230424.txt, or in a GGUF file), "
       "a tokenizer.json");
  says(said("b"), "expected a tokenizer, found a Git LFS pointer");
  says(said("c"), "expected a tokenizer, found an empty file");
  folder.write("vocab.json", vocabulary), folder.write("other.json", vocabulary), folder.write("vocab.bpe", merges);
  says(said("vocab.json"), "vocab.json: expected the merges beside it, found none");
  says(said("other.json"), "expected the merges beside it");
  says(said("vocab.bpe"), "vocab.bpe: expected the vocabulary beside it");
  folder.write("d", "{\"a\": "), folder.write("e", "{}"), folder.write("f", "1 '\\x00' 1\n3 'a' 1\n");
  says(said("d"), "expected JSON, found what is none at byte 7");
  says(said("e"), "expected the tokenizer.json of a byte-level BPE tokenizer");
  says(said("f"), "line 2: expected a token's number from 1 to 2");
}

TEST_CASE("a tokenizer with a vocabulary is saved beside the model and found again") {
  for (const Tokenizer& tokenizer : {Tokenizer(World::from_vocabulary_file(world, "models/rwkv_vocab_v20230424.txt")),
                                     Tokenizer(Bpe::from_json(json, "20B_tokenizer.json")),
                                     Tokenizer(Bpe::from_vocabulary_and_merges(vocabulary, merges))}) {
    const TemporaryFolder folder;
    const std::string model = folder / "model.safetensors";
    const auto metadata = tokenizer.metadata();
    CHECK(metadata.at("tokenizer") == tokenizer.kind());
    CHECK(metadata.at("vocabulary").starts_with(std::to_string(tokenizer.size()) + " tokens, fingerprint "));
    CHECK_THROWS_WITH_AS(Tokenizer::from_metadata(metadata), doctest::Contains("find it by tokenizer_for"), Error);
    says(message_of([&] { tokenizer_for(metadata, model); }),
         "model.safetensors: expected beside it the vocabulary that it was made with, \"" +
             metadata.at("vocabulary_file") + "\" (" + metadata.at("vocabulary") +
             "), found none; put it there, or give it by --tokenizer");

    const std::string path = save_tokenizer(tokenizer, model);
    CHECK(path == folder / metadata.at("vocabulary_file"));
    CHECK(tokenizer_for(metadata, model) == tokenizer);
    CHECK(save_tokenizer(tokenizer, model) == path);
    CHECK(tokenizer_for(metadata, model, path) == tokenizer);
    CHECK(tokenizer_for({}, model) == tokenizer);
    CHECK(tokenizer_for({}, folder / "other", path) == tokenizer);
  }
}

TEST_CASE("a file that has the name of the vocabulary is left alone, and told from it") {
  const TemporaryFolder folder;
  const std::string model = folder / "model";
  folder.write("world.txt", world);
  std::string other = world;
  other.replace(other.find(" permission"), 11, " Permission");
  const Tokenizer tokenizer = World::from_vocabulary_file(other, "world.txt");
  const auto metadata = tokenizer.metadata();
  says(message_of([&] { tokenizer_for(metadata, model); }),
       "found others: world.txt; put it there, or give it by --tokenizer");
  says(message_of([&] { tokenizer_for(metadata, model, folder / "world.txt"); }),
       "world.txt: expected the tokenizer that the model was made with, \"world.txt\" (" + metadata.at("vocabulary") +
           "), found \"world.txt\" (");
  const std::string path = save_tokenizer(tokenizer, model);
  const std::string hash = metadata.at("vocabulary").substr(metadata.at("vocabulary").size() - 16);
  CHECK(path == folder / ("world-" + hash + ".txt"));
  CHECK(whole_file(folder / "world.txt") == world);
  CHECK(tokenizer_for(metadata, model) == tokenizer);
  CHECK(save_tokenizer(tokenizer, model) == path);
  folder.write("world.txt", "damaged");
  CHECK(tokenizer_for(metadata, model) == tokenizer);
}

TEST_CASE("tokenizers in metadata need no file; a model without a word of its tokenizer asks for it") {
  const TemporaryFolder folder;
  const std::string model = folder / "model";
  CHECK(save_tokenizer(Characters("abc"), model).empty());
  CHECK(tokenizer_for(Tokenizer(Characters("abc")).metadata(), model) == Tokenizer(Characters("abc")));
  CHECK(tokenizer_for({{"tokenizer", "bytes"}}, model) == Tokenizer());
  says(message_of([&] { tokenizer_for({}, model); }),
       "the file does not say what its tokenizer is, and beside it there is none; give it by --tokenizer: a World");
  folder.write("v", world);
  says(message_of([&] {
         tokenizer_for({{"tokenizer", "bytes"}}, model, folder / "v");
       }),
       "v: expected the tokenizer that the model was made with, \"bytes\", found \"v\"");
  // A name from a file leads nowhere else.
  auto metadata = Tokenizer(World::from_vocabulary_file(world)).metadata();
  metadata["vocabulary_file"] = "../../" + (folder / "v");
  CHECK(tokenizer_for(metadata, model).kind() == "world");
}

TEST_CASE("a GGUF file that has the World tokenizer is its own vocabulary") {
  const TemporaryFolder folder;
  std::vector<std::string> tokens{"<s>"};
  for (int byte = 0; byte < 256; ++byte) {
    tokens.emplace_back("\\x");
    (tokens.back() += "0123456789abcdef"[byte / 16]) += "0123456789abcdef"[byte % 16];
  }
  tokens.insert(tokens.end(), {"ab", "[PAD258]", "[PAD259]"});
  const auto gguf = [&](const std::string& kind) {
    rwkv::GgufKeys keys;
    keys.add("tokenizer.ggml.model", kind), keys.add("tokenizer.ggml.tokens", std::span<const std::string>(tokens));
    std::string file = "GGUF";
    for (const std::uint64_t n : {std::uint64_t{3}, std::uint64_t{0}, keys.count()})
      file.append(reinterpret_cast<const char*>(&n), n == 3 ? 4 : 8);
    return file + keys.bytes() + std::string(64, '\0');
  };
  const std::string model = folder / "model.gguf";
  folder.write("model.gguf", gguf("rwkv"));
  const Tokenizer tokenizer = open_tokenizer(model);
  CHECK(tokenizer.size() == 258);
  CHECK(tokenizer.encode("abb") == Ids{257, 99});
  CHECK(tokenizer_for(rwkv::GgufFile(model).metadata(), model) == tokenizer);
  CHECK(save_tokenizer(tokenizer, model) == folder / "world.txt");
  tokens[5] = "a", tokens[6] = "";
  folder.write("model.gguf", gguf("rwkv"));
  says(message_of([&] {
         tokenizer_for({{"tokenizer.ggml.model", "rwkv"}}, model);
       }),
       "model.gguf: token 6: expected bytes in Python's escapes, found \"\"; the file's tokenizer is another one, or "
       "damaged");
  folder.write("model.gguf", gguf("llama"));
  says(message_of([&] { open_tokenizer(model); }),
       "expected a GGUF file with the World tokenizer (tokenizer.ggml.model is \"rwkv\"), found \"llama\"; give the");
}
