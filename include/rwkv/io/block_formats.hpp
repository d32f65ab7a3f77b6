#pragma once
#include <rwkv/io/dtype.hpp>

// How ggml quantises: neighbours of a row in blocks of 32 or 256, with scales that they share. Scales of 16 bits are
// IEEE halves, all numbers are little-endian. Every product of scales is exact in float, so that no contraction to a
// fused operation changes a result.
namespace rwkv {

namespace detail::block {

inline int byte(const std::byte* p) {
  return std::to_integer<int>(*p);
}
inline float half(const std::byte* p) {
  std::uint16_t bits;
  std::memcpy(&bits, p, sizeof bits);
  return from_f16(bits);
}
/// One of the core's blocks of 32.
template <class Stored>
void of_32(const std::byte* p, float* x) {
  Stored block;
  std::memcpy(&block, p, sizeof block);
  constexpr int W = std::min(16, native_width<float>);
  for (dim_t i = 0; i < Stored::numbers; i += W) store(x, Lanes<W>{i}, load(&block, Lanes<W>{i}));
}

/// The scale s and the minimum m, six bits each, of group g of 8, in 12 bytes: s0..3 and m0..3 in the low bits of the
/// first eight, low halves of s4..7 and m4..7 in the last four, and their upper bits above those of the first eight.
struct ScaleAndMinimum {
  float s, m;
  ScaleAndMinimum(const std::byte* p, int g)
      : s(float(g < 4 ? byte(p + g) & 63 : (byte(p + g + 4) & 15) | byte(p + g - 4) >> 6 << 4)),
        m(float(g < 4 ? byte(p + g + 4) & 63 : byte(p + g + 4) >> 4 | byte(p + g) >> 6 << 4)) {}
};
/// d, c, 8 scales s and minima m, nibbles q of groups of 32, two groups in the halves of 32 bytes: x = d s q - c m
inline void q4_k(const std::byte* p, float* x) {
  for (int g = 0; g < 8; ++g) {
    const ScaleAndMinimum of(p + 4, g);
    const float d = half(p) * of.s, m = half(p + 2) * of.m;
    const std::byte* const q = p + 16 + g / 2 * 32;
    for (int i = 0; i < 32; ++i) *x++ = d * float(byte(q + i) >> g % 2 * 4 & 15) - m;
  }
}
/// As q4_k, with a fifth bit of q: bit g of 32 bytes before the nibbles.
inline void q5_k(const std::byte* p, float* x) {
  for (int g = 0; g < 8; ++g) {
    const ScaleAndMinimum of(p + 4, g);
    const float d = half(p) * of.s, m = half(p + 2) * of.m;
    const std::byte *const high = p + 16, *const low = p + 48 + g / 2 * 32;
    for (int i = 0; i < 32; ++i)
      *x++ = d * float((byte(low + i) >> g % 2 * 4 & 15) | (byte(high + i) >> g & 1) << 4) - m;
  }
}
/// Low and high bits of q, 16 signed scales s of groups of 16, d: x = d s (q - 32). Of each half of the block, 64 bytes
/// hold four low bits of two numbers that lie 64 apart, 32 bytes two high bits of four that lie 32 apart.
inline void q6_k(const std::byte* p, float* x) {
  const float d = half(p + 208);
  for (int i = 0; i < 256; ++i) {
    const int part = i / 128, at = i % 128;
    const int low = byte(p + part * 64 + at % 64) >> at / 64 * 4 & 15;
    const int high = byte(p + 128 + part * 32 + at % 32) >> at / 32 * 2 & 3;
    x[i] = d * float(std::int8_t(byte(p + 192 + i / 16))) * float((low | high << 4) - 32);
  }
}

struct Format {
  Dtype dtype;
  void (*decode)(const std::byte* block, float* numbers);
};
inline constexpr Format formats[] = {{Dtype::q4_0, of_32<Q4_0>}, {Dtype::q4_1, of_32<Q4_1>}, {Dtype::q5_0, of_32<Q5_0>},
                                     {Dtype::q5_1, of_32<Q5_1>}, {Dtype::q8_0, of_32<Q8_0>}, {Dtype::q4_k, q4_k},
                                     {Dtype::q5_k, q5_k},        {Dtype::q6_k, q6_k}};
inline constexpr std::size_t longest = 256;

}  // namespace detail::block

/// The block_of(d) numbers of a block of bytes_of(d) bytes, of a dtype in blocks.
inline void decode_block(Dtype d, const std::byte* block, float* numbers) {
  for (const detail::block::Format& format : detail::block::formats)
    if (format.dtype == d) return format.decode(block, numbers);
}

/// out[i] = number first + i of those that begin at `from`, stored as d, which is real or T's own dtype.
template <class T>
void read_elements(Dtype d, const std::byte* from, std::uint64_t first, std::span<T> out) {
  from += first / block_of(d) * bytes_of(d);
  if (!in_blocks(d)) return convert(d, from, out);
  float numbers[detail::block::longest];
  for (std::size_t skipped = first % block_of(d); !out.empty(); skipped = 0, from += bytes_of(d)) {
    const std::size_t n = std::min(block_of(d) - skipped, std::uint64_t(out.size()));
    decode_block(d, from, numbers);
    std::copy_n(numbers + skipped, n, out.begin());
    out = out.subspan(n);
  }
}

}  // namespace rwkv
