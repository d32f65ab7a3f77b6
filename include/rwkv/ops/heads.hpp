#pragma once
#include <rwkv/core/accum.hpp>
#include <rwkv/core/view.hpp>

// What recurrences with a matrix for each head have in common: RWKV-5, 6 and 7.
namespace rwkv::heads {

/// One matrix for every head of every sequence: rows are keys, columns are values.
template <class B, dim_t H, dim_t Size>
using State = Tensor<Accum<B>, Batch, H, Size, Size>;
/// The states before every span, for the way back. Their data may be null where there is none.
template <class B, dim_t H, dim_t Size>
using Starts = Tensor<Accum<B>, Batch, Spans, H, Size, Size>;

/// How the recurrence goes over time. They differ by rounding alone.
enum class OverTime {
  automatic,   ///< whichever is the faster for these sizes
  sequential,  ///< token after token
  chunked,     ///< some tokens at a time, as products of matrices, where the machine has lanes
  scan         ///< the same in blocks of time side by side; in WKV-7, where joining blocks costs too much, as chunked
};

/// A machine whose registers hold lanes.
template <class B>
concept OnLanes = (Accum<B>::width > 1);

/// Below so many tokens one after the other reads and writes the state as rarely as a chunk of them does.
inline constexpr dim_t few_tokens = 16;
/// Whether to go forward in chunks.
constexpr bool in_chunks(OverTime how, Seq seq) {
  return how == OverTime::automatic ? seq.time >= few_tokens : how != OverTime::sequential;
}

}  // namespace rwkv::heads
