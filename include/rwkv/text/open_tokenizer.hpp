#pragma once
#include <sys/stat.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/io/file_kind.hpp>
#include <rwkv/io/gguf_file.hpp>
#include <rwkv/text/bpe.hpp>
#include <rwkv/text/tokenizer.hpp>
#include <rwkv/text/world.hpp>

namespace rwkv {
namespace detail {

/// How a tokenizer's files are usually called; the second is the pair that belongs to the first.
struct TokenizerFiles {
  const char *vocabulary, *merges;
};
inline constexpr TokenizerFiles usual_tokenizers[] = {
    {"rwkv_vocab_v20230424.txt", nullptr}, {"world.txt", nullptr},       {"tokenizer.json", nullptr},
    {"20B_tokenizer.json", nullptr},       {"vocab.json", "merges.txt"}, {"encoder.json", "vocab.bpe"}};

[[gnu::cold]] inline bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}
[[gnu::cold]] inline bool is_there(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

/// Whether JSON is an object of texts and numbers, as vocab.json is.
[[gnu::cold]] inline bool looks_like_vocabulary(std::string_view json, const std::string& name) {
  bool numbers = false;
  walk_json(json, name, [&](std::span<const std::string> path, JsonValue&& value) {
    numbers = path.size() == 1 && value.is(JsonValue::Kind::number);
    return path.empty();
  });
  return numbers;
}

constexpr const char* what_tokenizers_are =
    "a World vocabulary (rwkv_vocab_v20230424.txt, or in a GGUF file), a tokenizer.json of byte-level BPE, vocab.json "
    "with "
    "merges.txt beside it, or a folder with one of them";

/// One of two files, told by the other's usual name.
[[gnu::cold]] inline Tokenizer open_pair(const std::string& path, bool is_vocabulary) {
  const std::string folder = folder_of(path), name = file_name_of(path);
  for (const TokenizerFiles& usual : usual_tokenizers) {
    if (usual.merges == nullptr) continue;
    const std::string other = folder + (is_vocabulary ? usual.merges : usual.vocabulary);
    const bool belongs = name == (is_vocabulary ? usual.vocabulary : usual.merges);
    if (belongs && is_there(other)) return is_vocabulary ? Bpe::open(path, other) : Bpe::open(other, path);
  }
  throw Error(path, ": expected ", is_vocabulary ? "the merges" : "the vocabulary",
              " beside it, found none; a tokenizer of two files is vocab.json and merges.txt, or encoder.json and "
              "vocab.bpe, in one folder");
}

/// The World tokenizer that a GGUF file has beside its tensors.
[[gnu::cold]] inline Tokenizer open_in_gguf(const std::string& path) {
  const GgufFile file(path);
  const GgufValue *model = file.value("tokenizer.ggml.model"), *tokens = file.value("tokenizer.ggml.tokens");
  const std::string kind = model == nullptr ? std::string() : model->text();
  if (kind != "rwkv" || tokens == nullptr)
    throw Error(path, ": expected a GGUF file with the World tokenizer (tokenizer.ggml.model is \"rwkv\"), found ",
                kind.empty() ? "none" : in_quotes(kind), "; give the tokenizer in a file of its own");
  const auto texts = tokens->texts();
  return World::from_escaped(std::vector<std::string>(texts.begin(), texts.end()), path);
}

}  // namespace detail

/// The tokenizer in a file, or in the folder of a model, whatever it is: see the message for what is known. Error that
/// says what the file seems to be, and for a damaged one what is wrong in it.
[[gnu::cold]] inline Tokenizer open_tokenizer(const std::string& path) {
  using namespace detail;
  if (is_folder(path)) {
    const std::string folder = path.ends_with('/') ? path : path + '/';
    for (const TokenizerFiles& usual : usual_tokenizers)
      if (is_there(folder + usual.vocabulary) && (usual.merges == nullptr || is_there(folder + usual.merges)))
        return open_tokenizer(folder + usual.vocabulary);
    throw Error(path, ": expected a folder with a tokenizer, found none; it is ", what_tokenizers_are);
  }
  const MappedFile file(path);
  const std::string_view text = file.text(), start = text.substr(0, text.find_first_not_of(" \t\r\n"));
  if (text.substr(start.size()).starts_with('{')) {
    if (looks_like_vocabulary(text, path)) return open_pair(path, true);
    return Bpe::open(path);
  }
  if (looks_like_world(text)) return World::open(path);
  if (GgufFile::recognises(file.bytes())) return open_in_gguf(path);
  if (text.starts_with("#version")) return open_pair(path, false);
  throw Error(path, ": expected a tokenizer, found ", file_kind(text).what, "; it is ", what_tokenizers_are);
}

}  // namespace rwkv
