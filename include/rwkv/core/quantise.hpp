#pragma once
#include <algorithm>
#include <cmath>
#include <span>

#include <rwkv/core/storage.hpp>

namespace rwkv {
namespace detail {

/// A float that was rounded: what is computed with it is not fused with what made it, so that blocks are the same
/// whatever the processor.
inline float rounded(float x) {
  asm("" : "+m"(x));
  return x;
}
inline float inverse(float d) {
  return d == 0 ? 0.f : 1 / d;
}
inline void put_half(std::byte* to, float x) {
  const std::uint16_t bits = to_f16(double(x));
  std::memcpy(to, &bits, sizeof bits);
}

}  // namespace detail

/// The block of 32 finite numbers, as ggml's reference makes it. A scale or a minimum beyond 65504 becomes infinite.
template <int Bits, bool Minimum>
void quantise(const float* x, WeightBlock<Bits, Minimum>& block) {
  using B = WeightBlock<Bits, Minimum>;
  constexpr int most = (1 << Bits) - 1;
  float low = x[0], high = x[0], extreme = 0;
  for (dim_t i = 0; i < B::numbers; ++i) {
    low = std::min(low, x[i]), high = std::max(high, x[i]);
    if (std::abs(x[i]) > std::abs(extreme)) extreme = x[i];
  }
  const float d = Minimum     ? (high - low) / float(most)
                  : Bits == 8 ? std::abs(extreme) / 127
                              : extreme / -float(B::offset);
  const float inverse = detail::inverse(d);
  int q[B::numbers];
  for (dim_t i = 0; i < B::numbers; ++i) {
    const float steps = detail::rounded((Minimum ? x[i] - low : x[i]) * inverse);
    q[i] = Bits == 8 ? int(std::round(steps)) : std::min(most, int(steps + (float(B::offset) + 0.5f)));
  }
  detail::put_half(block.bytes, d);
  if (Minimum) detail::put_half(block.bytes + 2, low);
  std::byte* const to = block.bytes + B::quants_at;
  if constexpr (Bits == 8) {
    for (dim_t i = 0; i < B::numbers; ++i) to[i] = std::byte(q[i]);
  } else {
    for (dim_t i = 0; i < 16; ++i) to[i] = std::byte((q[i] & 15) | (q[i + 16] & 15) << 4);
    std::uint32_t fifth = 0;
    for (dim_t i = 0; i < B::numbers; ++i) fifth |= (std::uint32_t(q[i]) >> 4 & 1) << i;
    if constexpr (Bits == 5) std::memcpy(block.bytes + B::high_at, &fifth, sizeof fifth);
  }
}

/// Numbers as `storage` has them, rounded; in blocks, they are whole ones. bytes_of(storage, from.size()) are written.
template <class Number>
void encode(Storage storage, std::span<const Number> from, std::byte* to) {
  with_storage(storage, [&]<class Stored>() {
    if constexpr (is_block<Stored>) {
      float numbers[Stored::numbers];
      for (; !from.empty(); from = from.subspan(Stored::numbers), to += sizeof(Stored)) {
        std::transform(from.begin(), from.begin() + Stored::numbers, numbers, [](Number x) { return float(x); });
        Stored block;
        quantise(numbers, block);
        std::memcpy(to, &block, sizeof block);
      }
    } else {
      for (const Number x : from) {
        const auto stored = Stored(compute_of<Stored>(x));
        std::memcpy(to, &stored, sizeof stored);
        to += sizeof stored;
      }
    }
  });
}

}  // namespace rwkv
