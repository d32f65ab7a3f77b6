#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/io/open_file.hpp>

namespace rwkv {
namespace detail {

/// "data/train" of "data/train.bin" and "data/train.idx".
inline std::string binidx_stem(const std::string& path) {
  return path.ends_with(".bin") || path.ends_with(".idx") ? path.substr(0, path.size() - 4) : path;
}

/// The beginning of an index: magic, version, code of the type, and how many sequences and documents.
struct BinIdxHeader {
  static constexpr std::string_view magic{"MMIDIDX\0\0", 9};
  static constexpr std::size_t size = 34;
  static constexpr std::uint8_t int32 = 4, uint16 = 8;  // codes; others are not for tokens
};

}  // namespace detail

/// Documents of tokens in Megatron's two files ("binidx"), as RWKV's trainers take them: NAME.bin holds the tokens, two
/// or four bytes each, NAME.idx where sequences and documents begin. Tokens are read when they are asked for, so that
/// the files may be larger than memory; files that are changed meanwhile are an Error.
class BinIdx {
 public:
  /// Of either file, or their name without an ending. Error, with the file, if the two are not what they should be:
  /// sequences follow each other without gaps and fill NAME.bin, documents are made of whole sequences.
  explicit BinIdx(const std::string& path) : tokens_(detail::binidx_stem(path) + ".bin") {
    const OpenFile index(detail::binidx_stem(path) + ".idx");
    const auto wrong = [&](const auto&... pieces) {
      return Error(index.path(), ": ", pieces..., "; make both files again");
    };
    char header[detail::BinIdxHeader::size];
    if (index.size() < sizeof header)
      throw wrong("expected an index of at least ", sizeof header, " bytes, found ", index.size());
    index.read(0, std::as_writable_bytes(std::span(header)));
    if (std::string_view(header, 9) != detail::BinIdxHeader::magic)
      throw wrong("expected an index that begins with MMIDIDX, found ", in_quotes(std::string_view(header, 9)));
    if (const auto version = number(header + 9); version != 1) throw wrong("expected version 1, found ", version);
    const auto code = static_cast<std::uint8_t>(header[17]);
    if (code != detail::BinIdxHeader::int32 && code != detail::BinIdxHeader::uint16)
      throw wrong("expected tokens of type 4 (int32) or 8 (uint16), found type ", int{code});
    width_ = code == detail::BinIdxHeader::int32 ? 4 : 2;
    const std::uint64_t sequences = number(header + 18), bounds = number(header + 26);
    const std::uint64_t room = index.size() - sizeof header;
    if (sequences > room / 12 || bounds > room / 8 || 12 * sequences + 8 * bounds != room)
      throw wrong("expected 12 bytes for each of ", sequences, " sequences and 8 for each of ", bounds,
                  " bounds of documents, found ", room, " bytes");

    std::vector<dim_t> starts{0};  // of sequences, in tokens
    starts.reserve(sequences + 1);
    each<std::int32_t>(index, sizeof header, sequences, [&](std::uint64_t i, std::int64_t size) {
      if (size < 0) throw wrong("sequence ", i, ": expected a length of at least 0, found ", size);
      starts.push_back(starts.back() + size);  // at most 2^31 times the size of a file
    });
    each<std::int64_t>(index, sizeof header + 4 * sequences, sequences, [&](std::uint64_t i, std::int64_t at) {
      if (at != starts[i] * width_)
        throw wrong("sequence ", i, ": expected it at byte ", starts[i] * width_, ", after the one before it, found ",
                    at);
    });
    size_ = starts.back();
    if (static_cast<std::uint64_t>(size_) * static_cast<std::uint64_t>(width_) != tokens_.size())
      throw Error(tokens_.path(), ": expected ", size_ * width_, " bytes, as the index says, found ", tokens_.size(),
                  "; make both files again");
    std::uint64_t before = 0;
    documents_.reserve(bounds);
    each<std::int64_t>(index, sizeof header + 12 * sequences, bounds, [&](std::uint64_t i, std::int64_t bound) {
      const auto at = static_cast<std::uint64_t>(bound);
      if (at > sequences || at < before || (i == 0 && at != 0))
        throw wrong("bound ", i, " of documents: expected ", i == 0 ? 0 : before, i == 0 ? "" : " or more, up to ",
                    i == 0 ? std::string() : std::to_string(sequences), ", found ", bound);
      before = at;
      documents_.push_back(starts[at]);
    });
    if (before != sequences)
      throw wrong("expected documents of all ", sequences, " sequences, found them end at ", before);
  }

  const std::string& path() const { return tokens_.path(); }  ///< of the tokens
  dim_t size() const { return size_; }                        ///< tokens
  dim_t width() const { return width_; }                      ///< bytes of a token: 2 or 4
  dim_t documents() const { return std::max<dim_t>(static_cast<dim_t>(documents_.size()) - 1, 0); }
  /// The first token of a document, which ends where the next one begins; document < documents() + 1.
  dim_t document(dim_t number) const { return documents_.empty() ? 0 : documents_[static_cast<std::size_t>(number)]; }

  /// Tokens first, first + 1, ... into out, which lie within size(). They may be any numbers. Error if the file has
  /// changed since it was opened.
  void read(dim_t first, std::span<std::int32_t> out) const {
    const auto bytes = std::as_writable_bytes(out).last(out.size() * static_cast<std::size_t>(width_));
    tokens_.read(static_cast<std::size_t>(first * width_), bytes);
    if (width_ == 4) return;
    for (std::size_t i = 0; i < out.size(); ++i) {  // each is read before its place is written to
      std::uint16_t token = 0;
      std::memcpy(&token, bytes.data() + 2 * i, 2);
      out[i] = token;
    }
  }

 private:
  static std::uint64_t number(const char* bytes) {
    std::uint64_t n = 0;
    std::memcpy(&n, bytes, 8);
    return n;
  }
  /// Calls f(i, number) for so many numbers from a byte of the file on.
  template <class Number, class F>
  static void each(const OpenFile& file, std::uint64_t from, std::uint64_t count, F&& f) {
    std::vector<Number> some;
    for (std::uint64_t i = 0; i < count; i += some.size()) {
      some.resize(std::min<std::uint64_t>(count - i, 1 << 16));
      file.read(from + i * sizeof(Number), std::as_writable_bytes(std::span(some)));
      for (std::size_t k = 0; k < some.size(); ++k) f(i + k, std::int64_t{some[k]});
    }
  }

  OpenFile tokens_;
  dim_t width_ = 0, size_ = 0;
  std::vector<dim_t> documents_;  // where they begin, and the last ends
};

}  // namespace rwkv
