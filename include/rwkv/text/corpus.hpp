#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <rwkv/io/mapped_file.hpp>
#include <rwkv/text/tokenizer.hpp>

namespace rwkv {

/// A text as a row of tokens. Copies and slices share the storage. Where every byte is a token the file itself is the
/// storage, seen through a table; other texts are kept in memory, in one, two or four bytes per token.
class Corpus {
 public:
  /// The tokens of a file. Throws Error if there is no such file, if it is empty, or if the tokenizer cannot take it.
  Corpus(const std::string& path, Tokenizer tokenizer)
      : Corpus(std::make_shared<Storage>(MappedFile(path), std::move(tokenizer))) {}
  /// A file with the tokenizer of its own characters.
  static Corpus by_characters(const std::string& path) {
    MappedFile file(path);
    if (file.text().empty()) throw empty(path);
    Tokenizer tokenizer = Characters(file.text(), path);
    return Corpus(std::make_shared<Storage>(std::move(file), std::move(tokenizer)));
  }
  /// A text that is in memory already; messages call it "text".
  static Corpus of_text(std::string text, Tokenizer tokenizer) {
    return Corpus(std::make_shared<Storage>(std::move(text), std::move(tokenizer)));
  }

  dim_t size() const { return size_; }  ///< tokens
  const Tokenizer& tokenizer() const { return storage_->tokenizer; }
  const std::string& name() const { return storage_->name; }  ///< the path, for messages

  /// Tokens first, first + 1, ... into out. Throws Error unless all of them lie within the corpus.
  void read(dim_t first, std::span<std::int32_t> out) const {
    expect_range(first, static_cast<dim_t>(out.size()));
    std::visit([&](const auto& tokens) { copy(tokens, first_ + first, out); }, storage_->tokens);
  }
  /// A part of it: `count` tokens from `first`. Throws Error unless they lie within the corpus.
  Corpus slice(dim_t first, dim_t count) const {
    expect_range(first, count);
    Corpus part = *this;
    part.first_ += first;
    part.size_ = count;
    return part;
  }
  /// The first part, as a fraction of the tokens, and the rest: auto [train, validation] = corpus.split(0.9).
  std::pair<Corpus, Corpus> split(double fraction) const {
    if (!(fraction >= 0 && fraction <= 1))
      throw Error(name() + ": expected a fraction from 0 to 1 to split at, found " + std::to_string(fraction) +
                  "; 0.9 keeps nine tenths for training");
    const auto first = static_cast<dim_t>(fraction * static_cast<double>(size_));
    return {slice(0, first), slice(first, size_ - first)};
  }

 private:
  struct Table {  // the tokens of the bytes of a text
    std::string_view text;
    ByteTable table;
  };
  template <class T>
  using Numbers = std::vector<T>;

  struct Storage {
    Storage(MappedFile mapped, Tokenizer t) : name(mapped.path()), tokenizer(std::move(t)), file(std::move(mapped)) {
      load(file->text());
      if (!std::holds_alternative<Table>(tokens)) file.reset();
    }
    Storage(std::string held, Tokenizer t) : name("text"), tokenizer(std::move(t)), memory(std::move(held)) {
      load(memory);
    }
    void load(std::string_view text) {
      if (text.empty()) throw empty(name);
      tokenizer.visit([&](const auto& kind) {
        if (const auto table = kind.byte_table(text)) {
          if (!covers(*table, text)) kind.for_each_id(text, name, [](std::int32_t) {});  // throws at the place
          tokens = Table{text, *table};
        } else if (kind.size() <= 0x100) {
          number<std::uint8_t>(kind, text);
        } else if (kind.size() <= 0x10000) {
          number<std::uint16_t>(kind, text);
        } else {
          number<std::uint32_t>(kind, text);
        }
      });
    }
    static bool covers(const ByteTable& table, std::string_view text) {
      std::int32_t all = 0;
      for (const char c : text) all |= table[static_cast<unsigned char>(c)];
      return all >= 0;
    }
    template <class T>
    void number(const auto& kind, std::string_view text) {
      Numbers<T>& numbers = tokens.emplace<Numbers<T>>();
      numbers.reserve(utf8::length(text));
      kind.for_each_id(text, name, [&](std::int32_t id) { numbers.push_back(static_cast<T>(id)); });
    }

    std::string name;
    Tokenizer tokenizer;
    std::optional<MappedFile> file;
    std::string memory;
    std::variant<Table, Numbers<std::uint8_t>, Numbers<std::uint16_t>, Numbers<std::uint32_t>> tokens;
  };

  explicit Corpus(std::shared_ptr<const Storage> storage) : storage_(std::move(storage)) {
    size_ = std::visit([](const auto& tokens) { return count(tokens); }, storage_->tokens);
  }
  static dim_t count(const Table& table) { return static_cast<dim_t>(table.text.size()); }
  template <class T>
  static dim_t count(const Numbers<T>& numbers) {
    return static_cast<dim_t>(numbers.size());
  }
  static void copy(const Table& table, dim_t first, std::span<std::int32_t> out) {
    const char* from = table.text.data() + first;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = table.table[static_cast<unsigned char>(from[i])];
  }
  template <class T>
  static void copy(const Numbers<T>& numbers, dim_t first, std::span<std::int32_t> out) {
    const T* from = numbers.data() + first;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int32_t>(from[i]);
  }
  void expect_range(dim_t first, dim_t n) const {
    if (first >= 0 && n >= 0 && first <= size_ && n <= size_ - first) return;
    throw Error(name() + ": expected a range within " + std::to_string(size_) + " tokens, found " + std::to_string(n) +
                " from " + std::to_string(first) + "; take a shorter or an earlier one");
  }
  static Error empty(const std::string& name) {
    return Error(name + ": expected a text, found no bytes; give one with at least one character");
  }

  std::shared_ptr<const Storage> storage_;
  dim_t first_ = 0, size_ = 0;
};

}  // namespace rwkv
