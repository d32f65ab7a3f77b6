#pragma once
#include <optional>
#include <string>
#include <vector>

#include <rwkv/io/atomic_file.hpp>
#include <rwkv/text/open_tokenizer.hpp>

// A tokenizer with a vocabulary of its own is saved as a file in the folder of the model, and the model's metadata hold
// the file's name and a hash of the tokens.
namespace rwkv {
namespace detail {

/// The name with a part of the metadata's hash before its ending: for a folder where another file has the name.
[[gnu::cold]] inline std::string unique_name(const std::string& name, const std::string& vocabulary) {
  const std::size_t dot = std::min(name.rfind('.'), name.size());
  return name.substr(0, dot) + '-' + vocabulary.substr(vocabulary.rfind(' ') + 1) + name.substr(dot);
}
/// What is in metadata under a key; empty if nothing is.
[[gnu::cold]] inline std::string value_of(const Tokenizer::Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : found->second;
}
/// Whether two metadata tell of the same tokens.
[[gnu::cold]] inline bool same_tokenizer(const Tokenizer::Metadata& a, const Tokenizer::Metadata& b) {
  return value_of(a, "tokenizer") == value_of(b, "tokenizer") && value_of(a, "vocabulary") == value_of(b, "vocabulary");
}
/// The tokenizer in a file, if there is one, and it can be read.
[[gnu::cold]] inline std::optional<Tokenizer> try_tokenizer(const std::string& path) {
  if (!is_there(path)) return {};
  try {
    return open_tokenizer(path);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace detail

/// Writes the tokenizer's vocabulary beside a model's file, under the name that its metadata tell, unless it is there
/// already; where another file has that name, the hash becomes a part of it. Returns the path, empty for a tokenizer
/// that is saved in metadata alone.
[[gnu::cold]] inline std::string save_tokenizer(const Tokenizer& tokenizer, const std::string& model_path) {
  const Tokenizer::Metadata metadata = tokenizer.metadata();
  const std::string name = detail::value_of(metadata, "vocabulary_file"), folder = detail::folder_of(model_path);
  if (name.empty()) return {};
  std::string path = folder + name;
  if (detail::is_there(path)) {
    if (const auto old = detail::try_tokenizer(path); old && *old == tokenizer) return path;
    path = folder + detail::unique_name(name, detail::value_of(metadata, "vocabulary"));
    if (const auto old = detail::try_tokenizer(path); old && *old == tokenizer) return path;
  }
  const std::string content = tokenizer.file();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(content)));
  file.commit();
  return path;
}

/// The tokenizer of a model, from the metadata in its file: one of `Kinds` from them alone, others from the vocabulary
/// beside the file, which must have the tokens that the metadata tell. `given` is a path that a user names (by the
/// option --tokenizer, in messages), empty for none; it is needed where metadata tell nothing and neither a GGUF file
/// nor its folder has a vocabulary. Error that says what was looked for, and how to give it.
template <class... Kinds>
[[gnu::cold]] Tokenizer tokenizer_for(const Tokenizer::Metadata& metadata, const std::string& model_path,
                                      const std::string& given, TokenizerKinds<Kinds...> kinds) {
  const std::string saved = detail::value_of(metadata, "tokenizer"), folder = detail::folder_of(model_path);
  const std::string vocabulary = detail::value_of(metadata, "vocabulary");
  const std::string name = detail::file_name_of(detail::value_of(metadata, "vocabulary_file"));
  if (!given.empty()) {
    Tokenizer tokenizer = open_tokenizer(given);
    if (saved.empty() || detail::same_tokenizer(tokenizer.metadata(), metadata)) return tokenizer;
    throw Error(given, ": expected the tokenizer that the model was made with, ",
                name.empty() ? in_quotes(saved) : in_quotes(name) + " (" + shown(vocabulary) + ")", ", found ",
                in_quotes(tokenizer.file_name()), " (", shown(detail::value_of(tokenizer.metadata(), "vocabulary")),
                "); give that one", name.empty() ? ", which is in the model's file: leave out --tokenizer" : "");
  }
  if (!saved.empty() && name.empty()) return Tokenizer::from_metadata(metadata, kinds);
  if (saved.empty() && detail::value_of(metadata, "tokenizer.ggml.model") == "rwkv") return open_tokenizer(model_path);
  std::vector<std::string> candidates;
  if (!name.empty()) candidates = {name, detail::unique_name(name, vocabulary)};
  for (const detail::TokenizerFiles& usual : detail::usual_tokenizers) candidates.emplace_back(usual.vocabulary);
  std::string others;
  for (const std::string& candidate : candidates) {
    const auto found = detail::try_tokenizer(folder + candidate);
    if (found && (saved.empty() || detail::same_tokenizer(found->metadata(), metadata))) return *found;
    if (found && others.find(candidate) == others.npos) others += (others.empty() ? "" : ", ") + candidate;
  }
  const std::string found = others.empty() ? "none" : "others: " + others;
  if (saved.empty())
    throw Error(model_path,
                ": the file does not say what its tokenizer is, and beside it there is none; give it by "
                "--tokenizer: ",
                detail::what_tokenizers_are);
  throw Error(model_path, ": expected beside it the vocabulary that it was made with, ", in_quotes(name), " (",
              shown(vocabulary), "), found ", found, "; put it there, or give it by --tokenizer");
}
[[gnu::cold]] inline Tokenizer tokenizer_for(const Tokenizer::Metadata& metadata, const std::string& model_path,
                                             const std::string& given = "") {
  return tokenizer_for(metadata, model_path, given, Tokenizer::OwnKinds{});
}

}  // namespace rwkv
