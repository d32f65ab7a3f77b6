#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rwkv/io/mapped_file.hpp>
#include <rwkv/text/tokenizer.hpp>

namespace rwkv {

/// A text as a sequence of tokens. Copies and slices share the storage. Where every byte is a token, the storage is the
/// memory-mapped file and a table; other texts are kept as one, two or four bytes per token.
class Corpus {
 public:
  /// The tokens of a file. Error if there is no such file, if it is empty, or if the tokenizer cannot encode it.
  Corpus(const std::string& path, Tokenizer tokenizer)
      : Corpus(std::make_shared<Storage>(MappedFile(path), std::move(tokenizer))) {}
  /// The file, with a tokenizer of the characters that occur in it.
  static Corpus by_characters(const std::string& path) {
    MappedFile file(path);
    if (file.text().empty()) throw empty(path);
    Tokenizer tokenizer = Characters(file.text(), path);
    return Corpus(std::make_shared<Storage>(std::move(file), std::move(tokenizer)));
  }
  /// A text in memory; messages call it "text".
  static Corpus of_text(std::string text, Tokenizer tokenizer) {
    return Corpus(std::make_shared<Storage>(std::move(text), std::move(tokenizer)));
  }

  dim_t size() const { return size_; }  ///< tokens
  const Tokenizer& tokenizer() const { return storage_->tokenizer; }
  const std::string& name() const { return storage_->name; }  ///< the path, for messages

  /// Tokens first, first + 1, ... into out. Error unless all of them lie within the corpus.
  void read(dim_t first, std::span<std::int32_t> out) const {
    expect_range(first, static_cast<dim_t>(out.size()));
    storage_->read(first_ + first, out);
  }
  /// A part of it: `count` tokens from `first`. Error unless they lie within the corpus.
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
      throw Error(name(), ": expected a fraction from 0 to 1 to split at, found ", fraction,
                  "; 0.9 keeps nine tenths for training");
    const auto first = static_cast<dim_t>(fraction * static_cast<double>(size_));
    return {slice(0, first), slice(first, size_ - first)};
  }

 private:
  struct Storage {
    Storage(MappedFile mapped, Tokenizer t) : name(mapped.path()), tokenizer(std::move(t)), file(std::move(mapped)) {
      load(file->text());
      if (!table) file.reset();
    }
    Storage(std::string held, Tokenizer t) : name("text"), tokenizer(std::move(t)), memory(std::move(held)) {
      load(memory);
    }

    dim_t size() const { return static_cast<dim_t>(table ? text.size() : numbers.size() / width); }
    void read(dim_t first, std::span<std::int32_t> out) const {
      const auto from = static_cast<std::size_t>(first);
      if (table) {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = (*table)[static_cast<unsigned char>(text[from + i])];
      } else {
        for (std::size_t i = 0; i < out.size(); ++i) {
          out[i] = 0;
          for (std::size_t byte = 0; byte < width; ++byte) out[i] |= numbers[(from + i) * width + byte] << 8 * byte;
        }
      }
    }

    std::string name;
    Tokenizer tokenizer;
    std::optional<MappedFile> file;
    std::string memory;
    std::optional<ByteTable> table;  // of `text`, where every byte is a token; otherwise the tokens are `numbers`
    std::string_view text;
    std::vector<std::uint8_t> numbers;  // `width` bytes each
    std::size_t width = 1;

   private:
    void load(std::string_view whole) {
      if (whole.empty()) throw empty(name);
      text = whole;
      tokenizer.visit([&](const auto& kind) {
        table = kind.byte_table(text);
        if (table && covers(*table)) return;
        width = kind.size() <= 0x100 ? 1 : kind.size() <= 0x10000 ? 2 : 4;
        numbers.reserve(utf8::length(text) * width);
        kind.for_each_id(text, name, [&](std::int32_t id) {
          for (std::size_t i = 0; i < width; ++i) numbers.push_back(static_cast<std::uint8_t>(id >> 8 * i));
        });
      });
    }
    bool covers(const ByteTable& bytes) const {
      std::int32_t all = 0;
      for (const char c : text) all |= bytes[static_cast<unsigned char>(c)];
      return all >= 0;
    }
  };

  explicit Corpus(std::shared_ptr<const Storage> storage) : storage_(std::move(storage)), size_(storage_->size()) {}
  void expect_range(dim_t first, dim_t n) const {
    if (first >= 0 && n >= 0 && first <= size_ && n <= size_ - first) return;
    throw Error(name(), ": expected a range within ", size_, " tokens, found ", n, " from ", first,
                "; take a shorter or an earlier one");
  }
  [[gnu::cold]] static Error empty(const std::string& name) {
    return Error(name, ": expected a text, found no bytes; give one with at least one character");
  }

  std::shared_ptr<const Storage> storage_;
  dim_t first_ = 0, size_ = 0;
};

}  // namespace rwkv
