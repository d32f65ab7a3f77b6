#pragma once
#include <algorithm>

#include <rwkv/core/error.hpp>
#include <rwkv/core/shape.hpp>

// How much memory sizes ask for is counted here, and checked, before any is taken. Kernels, which see only sizes whose
// memory is there, multiply freely.
namespace rwkv::detail {

/// Sizes are counted up to here, which stands for itself and for all that is more: 2^60 bytes are in no machine.
inline constexpr dim_t uncountable = dim_t{1} << 60;

/// a times b, of sizes from 0 to uncountable.
constexpr dim_t product(dim_t a, dim_t b) {
  return b > 0 && a > uncountable / b ? uncountable : std::min(a * b, uncountable);
}
constexpr dim_t sum(dim_t a, dim_t b) {
  return std::min(a + b, uncountable);
}
/// Numbers in a tensor of shape S.
template <class S>
constexpr dim_t size_at(Seq seq) {
  dim_t n = 1;
  for (const dim_t d : S::extents) n = product(n, S::extent(d, seq));
  return n;
}

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_as_uncountable(Seq seq) {
  throw Error("Seq: expected a batch and a context (time) whose memory 64 bits can count, found ", seq.batch, " and ",
              seq.time, "; make them smaller");
}
/// The sizes. Error unless both are at least that, and their tokens can be counted.
[[gnu::noinline]] inline Seq expect_sizes(Seq seq, dim_t least) {
  if (seq.batch < least || seq.time < least)
    throw Error("Seq: expected a batch and a time of at least ", least, ", found batch ", seq.batch, " and time ",
                seq.time, "; set both, as in Seq{.batch = 8, .time = 64}");
  if (seq.batch >= uncountable || seq.time >= uncountable || product(seq.batch, seq.time) >= uncountable)
    refuse_as_uncountable(seq);
  return seq;
}

}  // namespace rwkv::detail
