#pragma once
#include <cstdio>
#include <string>
#include <vector>

#include <rwkv/backend/pool.hpp>
#include <rwkv/backend/thread_buffer.hpp>
#include <rwkv/io/bundle_memory.hpp>

namespace rwkv {

namespace detail {
/// One to one in `hash` and in `word`.
inline std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 32;
}
inline std::uint64_t hash_of(std::span<const std::byte> bytes) {
  std::uint64_t hash = bytes.size(), word = 0;
  for (std::size_t i = 0; i < bytes.size(); i += sizeof word) {
    word = 0;
    std::memcpy(&word, bytes.data() + i, std::min(sizeof word, bytes.size() - i));
    hash = mixed(hash, word);
  }
  return hash;
}
}  // namespace detail

/// "169342464 parameters, fingerprint 9f0c21d57a3e4b68": tells one model from another by the names, extents and bytes
/// of all its parameters, which are read once. Not meant against forgery.
[[gnu::cold]] inline std::string identity_of(const BundleMemory& weights) {
  constexpr dim_t piece = 1 << 18;
  std::uint64_t hash = 0;
  dim_t parameters = 0;
  for (const Leaf& leaf : weights.leaves) {
    parameters += leaf.size;
    hash = detail::mixed(hash, detail::hash_of(std::as_bytes(std::span(leaf.name))));
    for (const dim_t d : leaf.shape) hash = detail::mixed(hash, std::uint64_t(d));
    std::vector<std::uint64_t> hashes(std::size_t((leaf.bytes() + piece - 1) / piece));
    const auto one = [&](dim_t i) {
      static thread_local detail::ThreadBuffer<std::byte> buffer;
      const auto size = static_cast<std::size_t>(std::min(piece, leaf.bytes() - i * piece));
      std::byte* const copy = buffer.at_least(piece);
      weights.download_bytes(copy, weights.of(leaf) + i * piece, size);
      hashes[std::size_t(i)] = detail::hash_of({copy, size});
    };
    if (weights.in_reach)
      pool().run(dim_t(hashes.size()), one);
    else
      for (dim_t i = 0; i < dim_t(hashes.size()); ++i) one(i);
    for (const std::uint64_t each : hashes) hash = detail::mixed(hash, each);
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return std::to_string(parameters) + " parameters, fingerprint " + digits;
}

}  // namespace rwkv
