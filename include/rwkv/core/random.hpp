#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// Random numbers by position: number i of a stream is a function of (seed, stream, i) alone, so any thread may draw
/// any of them, on any machine, in any order. Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2,
/// 3").
struct Random {
  std::uint64_t seed = 0, stream = 0;

  /// Four independent words.
  constexpr RWKV_HD std::array<std::uint32_t, 4> words(std::uint64_t i) const {
    std::array<std::uint32_t, 4> x{std::uint32_t(i), std::uint32_t(i >> 32), std::uint32_t(stream),
                                   std::uint32_t(stream >> 32)};
    std::uint32_t key0 = std::uint32_t(seed), key1 = std::uint32_t(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t a = std::uint64_t(0xD2511F53u) * x[0], b = std::uint64_t(0xCD9E8D57u) * x[2];
      x = {std::uint32_t(b >> 32) ^ x[1] ^ key0, std::uint32_t(b), std::uint32_t(a >> 32) ^ x[3] ^ key1,
           std::uint32_t(a)};
      key0 += 0x9E3779B9u, key1 += 0xBB67AE85u;
    }
    return x;
  }
  /// 64 random bits.
  constexpr std::uint64_t bits(std::uint64_t i) const {
    const auto w = words(i);
    return std::uint64_t(w[1]) << 32 | w[0];
  }
  /// In [0, 1), a multiple of 2^-53.
  constexpr double uniform(std::uint64_t i) const { return double(bits(i) >> 11) * 0x1p-53; }
  /// In [0, n), each value equally likely to within n / 2^64.
  constexpr std::uint64_t below(std::uint64_t n, std::uint64_t i) const {
    __extension__ typedef unsigned __int128 Wide;
    return std::uint64_t((static_cast<Wide>(bits(i)) * n) >> 64);
  }
  /// Two standard normal numbers (Box and Muller), from draw i.
  std::array<double, 2> normals(std::uint64_t i) const {
    const auto w = words(i);
    const double u = (double(w[0]) + 0.5) * 0x1p-32, angle = double(w[1]) * (0x1p-32 * 6.283185307179586476925);
    const double radius = std::sqrt(-2 * std::log(u));
    return {radius * std::cos(angle), radius * std::sin(angle)};
  }
  /// Another stream of the same seed, told apart by a name (FNV-1a).
  constexpr Random named(std::string_view name) const {
    std::uint64_t hash = 0xcbf29ce484222325u ^ stream;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return {seed, hash};
  }
};

}  // namespace rwkv
