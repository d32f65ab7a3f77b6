#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/text/text_file.hpp>
#include <rwkv/text/tokenizer.hpp>

namespace rwkv {

/// A text as a sequence of tokens. Copies and slices share the storage. Where every byte is a token, the storage is the
/// file and a table, and a file that is changed while it is in use is an Error of the next read; other texts are kept
/// as one, two or four bytes per token.
class Corpus {
 public:
  /// The tokens of a file. Error if there is no such file, if it is empty, or if the tokenizer cannot encode it.
  Corpus(const std::string& path, Tokenizer tokenizer)
      : Corpus(std::make_shared<Storage>(TextFile(path), std::move(tokenizer))) {}
  /// The file, with a tokenizer of the characters that occur in it.
  static Corpus by_characters(const std::string& path) {
    TextFile file(path);
    const std::string bytes = file.distinct_bytes();
    if (bytes.empty()) throw empty(path);
    Tokenizer tokenizer = Characters(utf8::ascii_prefix(bytes) == bytes.size() ? bytes : file.whole(), path);
    return Corpus(std::make_shared<Storage>(std::move(file), std::move(tokenizer)));
  }
  /// A text in memory, and what messages call it.
  static Corpus of_text(std::string text, Tokenizer tokenizer, std::string name = "text") {
    return Corpus(std::make_shared<Storage>(std::move(text), std::move(tokenizer), std::move(name)));
  }

  dim_t size() const { return size_; }  ///< tokens
  const Tokenizer& tokenizer() const { return storage_->tokenizer; }
  /// For messages: the path, and of a part which one, as in "the last 10 % of notes.txt".
  const std::string& name() const { return name_; }

  /// Tokens first, first + 1, ... into out. Error unless all of them lie within the corpus, and its file is as it was.
  void read(dim_t first, std::span<std::int32_t> out) const {
    expect_range(first, static_cast<dim_t>(out.size()));
    storage_->read(first_ + first, out);
  }
  /// A part of it: `count` tokens from `first`. Error unless they lie within the corpus.
  Corpus slice(dim_t first, dim_t count) const {
    expect_range(first, count);
    const dim_t last = first + std::max<dim_t>(count, 1) - 1;
    return part(first, count, "tokens " + std::to_string(first) + " to " + std::to_string(last));
  }
  /// The first part, as a fraction of the tokens, and the rest: auto [train, validation] = corpus.split(0.9).
  std::pair<Corpus, Corpus> split(double fraction) const {
    if (!(fraction >= 0 && fraction <= 1))
      throw Error(name(), ": expected a fraction from 0 to 1 to split at, found ", fraction,
                  "; 0.9 keeps nine tenths for training");
    const auto first = static_cast<dim_t>(fraction * static_cast<double>(size_));
    const auto percent = [](const char* which, double part) {
      return detail::sentence({which, std::round(part * 1e4) / 1e2, " %"});
    };
    return {part(0, first, percent("the first ", fraction)),
            part(first, size_ - first, percent("the last ", 1 - fraction))};
  }

 private:
  struct Storage {
    Storage(TextFile opened, Tokenizer t) : name(opened.path()), tokenizer(std::move(t)), file(std::move(opened)) {
      if (!tabulate(file->distinct_bytes())) encode(file->whole()), file.reset();
    }
    Storage(std::string held, Tokenizer t, std::string called)
        : name(std::move(called)), tokenizer(std::move(t)), memory(std::move(held)) {
      if (!tabulate(distinct_bytes(memory))) encode(memory), memory = {};
    }

    dim_t size() const {
      return static_cast<dim_t>(!table ? numbers.size() / width : file ? file->size() : memory.size());
    }
    void read(dim_t first, std::span<std::int32_t> out) const {
      const auto from = static_cast<std::size_t>(first), n = out.size();
      if (table) {
        const auto bytes = std::as_writable_bytes(out).last(n);  // each is read before its place is written to
        if (file)
          file->read(from, bytes);
        else if (n > 0)
          std::memcpy(bytes.data(), memory.data() + from, n);
        for (std::size_t i = 0; i < n; ++i) out[i] = (*table)[static_cast<unsigned char>(bytes[i])];
      } else {
        for (std::size_t i = 0; i < n; ++i) {
          out[i] = 0;
          for (std::size_t byte = 0; byte < width; ++byte) out[i] |= numbers[(from + i) * width + byte] << 8 * byte;
        }
      }
    }

    std::string name;
    Tokenizer tokenizer;
    std::optional<TextFile> file;
    std::string memory;
    std::optional<ByteTable> table;     // where every byte of `file` or `memory` is a token; otherwise `numbers` are
    std::vector<std::uint8_t> numbers;  // `width` bytes each
    std::size_t width = 1;

   private:
    /// Whether every byte is a token, of a text in which these occur.
    bool tabulate(const std::string& bytes) {
      if (bytes.empty()) throw empty(name);
      table = tokenizer.visit([&](const auto& kind) { return kind.byte_table(bytes); });
      for (const char c : bytes)
        if (table && (*table)[static_cast<unsigned char>(c)] < 0) table.reset();
      return table.has_value();
    }
    void encode(const std::string& text) {
      tokenizer.visit([&](const auto& kind) {
        width = kind.size() <= 0x100 ? 1 : kind.size() <= 0x10000 ? 2 : 4;
        numbers.reserve(utf8::length(text) * width);
        kind.for_each_id(text, name, [&](std::int32_t id) {
          for (std::size_t i = 0; i < width; ++i) numbers.push_back(static_cast<std::uint8_t>(id >> 8 * i));
        });
      });
    }
  };

  explicit Corpus(std::shared_ptr<const Storage> storage)
      : storage_(std::move(storage)), name_(storage_->name), size_(storage_->size()) {}
  Corpus part(dim_t first, dim_t count, const std::string& which) const {
    Corpus made = *this;
    made.first_ += first;
    made.size_ = count;
    if (count < size_) made.name_ = which + " of " + name_;
    return made;
  }
  void expect_range(dim_t first, dim_t n) const {
    if (first >= 0 && n >= 0 && first <= size_ && n <= size_ - first) return;
    throw Error(name(), ": expected a range within ", size_, " tokens, found ", n, " from ", first,
                "; take a shorter or an earlier one");
  }
  [[gnu::cold]] static Error empty(const std::string& name) {
    return Error(name, ": expected a text, found no bytes; give one with at least one character");
  }

  std::shared_ptr<const Storage> storage_;
  std::string name_;
  dim_t first_ = 0, size_ = 0;
};

}  // namespace rwkv
