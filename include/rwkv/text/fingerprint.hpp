#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <rwkv/text/content_hash.hpp>
#include <rwkv/text/corpus.hpp>

namespace rwkv {
namespace detail {

/// Reads the whole corpus once, in pieces.
[[gnu::cold]] inline ContentHash hash_of(const Corpus& corpus) {
  constexpr dim_t piece = 1 << 16;  // even, so that pairs do not depend on it
  ContentHash hash(static_cast<std::uint64_t>(corpus.size()));
  std::vector<std::int32_t> ids;
  for (dim_t first = 0; first < corpus.size(); first += piece) {
    ids.assign(static_cast<std::size_t>(std::min(piece, corpus.size() - first)), 0);
    corpus.read(first, ids);
    if (ids.size() % 2 == 1) ids.push_back(0);
    for (std::size_t i = 0; i < ids.size(); i += 2)
      hash.add(static_cast<std::uint64_t>(static_cast<std::uint32_t>(ids[i])) << 32 |
               static_cast<std::uint32_t>(ids[i + 1]));
  }
  return hash;
}

}  // namespace detail

/// 64 bits that tell one text from another by its tokens: two that differ in one token never have the same. Reads the
/// whole corpus once, in pieces. Not meant against forgery.
[[gnu::cold]] inline std::uint64_t fingerprint(const Corpus& corpus) {
  return detail::hash_of(corpus).value();
}

/// "51200 tokens, fingerprint 9f0c21d57a3e4b68"
[[gnu::cold]] inline std::string identity_of(const Corpus& corpus) {
  return std::to_string(corpus.size()) + " tokens, fingerprint " + detail::hash_of(corpus).text();
}

}  // namespace rwkv
