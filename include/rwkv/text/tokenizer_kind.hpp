#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// What a kind of tokenizer is: a value with a name, so many tokens, and both directions. `append` adds the bytes of
/// one token to out. It may also have
/// - `for_each_id(text, name, each)`: encodes without a list of all ids, in errors the text is called `name`;
/// - `byte_table(text)`: where every byte of a text is a token, the token of each, see ByteTable;
/// - `end_of_text()`: the token after which a text is over, if there is one;
/// - `vocabulary()` and a static `from_vocabulary(text)`: what is saved in a model's file, for kinds that need little;
/// - `file_name()`, `file()` and `content_hash()`: a vocabulary that lies in a file of its own beside the model's.
template <class K>
concept TokenizerKind = requires(const K& tokenizer, std::string_view text, std::int32_t id, std::string& out) {
  std::string_view(K::kind);
  { tokenizer.size() } -> std::convertible_to<dim_t>;
  { tokenizer.encode(text) } -> std::same_as<std::vector<std::int32_t>>;
  tokenizer.append(id, out);
}
&&std::copyable<K>&& std::equality_comparable<K>;  // asked last: elsewhere a Tokenizer is what K is compared with

/// Kinds that a tokenizer can be made of from a model's own metadata.
template <class... Each>
struct TokenizerKinds {};

}  // namespace rwkv
