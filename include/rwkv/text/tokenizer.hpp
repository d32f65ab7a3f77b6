#pragma once
#include <concepts>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <rwkv/text/characters.hpp>

namespace rwkv {

/// Text to tokens and back: a value of one of several kinds, saved with the model.
class Tokenizer {
 public:
  /// Another kind is another name in this list.
  using Kind = std::variant<Bytes, Characters>;
  using Metadata = std::map<std::string, std::string>;

  Tokenizer() = default;  ///< Bytes
  template <class K>
  requires std::constructible_from<Kind, K> Tokenizer(K kind) : kind_(std::move(kind)) {}

  /// Calls f with the kind that is held.
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit(std::forward<F>(f), kind_);
  }

  /// Number of tokens: a model's vocabulary must be at least as large.
  dim_t size() const {
    return visit([](const auto& kind) { return kind.size(); });
  }
  /// Error, with the place, for what the vocabulary lacks.
  std::vector<std::int32_t> encode(std::string_view text) const {
    return visit([&](const auto& kind) { return kind.encode(text); });
  }
  /// Adds the text of one token to out. Error unless 0 <= id < size().
  void append(std::int32_t id, std::string& out) const {
    visit([&](const auto& kind) { kind.append(id, out); });
  }
  std::string decode(std::span<const std::int32_t> ids) const {
    std::string out;
    for (const std::int32_t id : ids) append(id, out);
    return out;
  }

  /// What is saved in a file: "tokenizer", the kind, and "vocabulary", as UTF-8, for kinds that have one.
  Metadata metadata() const {
    return visit([](const auto& kind) {
      Metadata made{{"tokenizer", std::string(kind.kind)}};
      if (std::string list = kind.vocabulary(); !list.empty()) made["vocabulary"] = std::move(list);
      return made;
    });
  }
  /// Ignores other keys. Error if these two are missing or make no tokenizer.
  static Tokenizer from_metadata(const Metadata& metadata) {
    const auto kind = metadata.find("tokenizer");
    if (kind == metadata.end())
      throw Error(
          "metadata: expected the key \"tokenizer\", found none; the model was saved without its tokenizer, "
          "name one yourself");
    const auto vocabulary = metadata.find("vocabulary");
    return make<0>(kind->second, vocabulary == metadata.end() ? std::string_view() : vocabulary->second, "");
  }

  friend bool operator==(const Tokenizer&, const Tokenizer&) = default;

 private:
  template <std::size_t Index>
  static Tokenizer make(const std::string& kind, std::string_view vocabulary, const std::string& passed) {
    if constexpr (Index < std::variant_size_v<Kind>) {
      using K = std::variant_alternative_t<Index, Kind>;
      if (kind == K::kind) return K::from_vocabulary(vocabulary);
      return make<Index + 1>(kind, vocabulary, passed + (Index == 0 ? "\"" : ", \"") + std::string(K::kind) + "\"");
    } else {
      throw Error("metadata: expected for \"tokenizer\" one of ", passed, ", found ", in_quotes(kind),
                  "; the file was written by another version of the library, use that one");
    }
  }

  Kind kind_;
};

}  // namespace rwkv
