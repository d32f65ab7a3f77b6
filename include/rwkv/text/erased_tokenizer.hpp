#pragma once
#include <array>
#include <utility>

#include <rwkv/text/byte_table.hpp>
#include <rwkv/text/content_hash.hpp>
#include <rwkv/text/id_sink.hpp>
#include <rwkv/text/tokenizer_kind.hpp>

namespace rwkv::detail {

/// A tokenizer whose kind is known at run time alone.
class AnyTokenizer {
 public:
  virtual ~AnyTokenizer() = default;
  virtual std::string_view kind() const = 0;
  virtual dim_t size() const = 0;
  virtual std::optional<std::int32_t> end_of_text() const = 0;
  virtual void encode(std::string_view text, const std::string& name, IdSink sink) const = 0;
  virtual void append(std::int32_t id, std::string& out) const = 0;
  virtual std::optional<ByteTable> byte_table(std::string_view text) const = 0;
  virtual std::string vocabulary() const = 0;
  virtual std::string file_name() const = 0;
  virtual std::string file() const = 0;
  virtual bool equals(const AnyTokenizer& other) const = 0;
};

template <TokenizerKind K>
class ErasedTokenizer final : public AnyTokenizer {
 public:
  explicit ErasedTokenizer(K kind) : held(std::move(kind)) {}
  const K held;

  std::string_view kind() const override { return K::kind; }
  dim_t size() const override { return held.size(); }
  std::optional<std::int32_t> end_of_text() const override {
    if constexpr (requires { held.end_of_text(); })
      return held.end_of_text();
    else
      return {};
  }
  void encode(std::string_view text, const std::string& name, IdSink sink) const override {
    if constexpr (requires(void (*each)(std::int32_t)) { held.for_each_id(text, name, each); }) {
      std::array<std::int32_t, 4096> some;
      std::size_t n = 0;
      const auto add = [&](std::int32_t id) {
        some[n++] = id;
        if (n == some.size()) sink(some), n = 0;
      };
      held.for_each_id(text, name, add);
      sink(std::span(some).first(n));
    } else {
      sink(held.encode(text));
    }
  }
  void append(std::int32_t id, std::string& out) const override { held.append(id, out); }
  std::optional<ByteTable> byte_table(std::string_view text) const override {
    if constexpr (requires { held.byte_table(text); })
      return held.byte_table(text);
    else
      return {};
  }
  [[gnu::cold]] std::string vocabulary() const override {
    if constexpr (requires { held.vocabulary(); })
      return held.vocabulary();
    else if constexpr (requires { held.content_hash(); })
      return std::to_string(held.size()) + " tokens, fingerprint " + held.content_hash().text();
    else
      return {};
  }
  [[gnu::cold]] std::string file_name() const override {
    if constexpr (requires { held.file_name(); })
      return held.file_name();
    else
      return {};
  }
  [[gnu::cold]] std::string file() const override {
    if constexpr (requires { held.file(); })
      return held.file();
    else
      return {};
  }
  bool equals(const AnyTokenizer& other) const override {
    const auto* same = dynamic_cast<const ErasedTokenizer*>(&other);
    return same != nullptr && held == same->held;
  }
};

}  // namespace rwkv::detail
