#pragma once
#include <array>
#include <concepts>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// Extents that are known only at run time carry a name instead of a number.
inline constexpr dim_t Batch = -1;  ///< how many sequences
inline constexpr dim_t Time = -2;   ///< how many tokens of each
inline constexpr dim_t Spans =
    -3;  ///< how many spans of `span` tokens cover the time: recurrences keep their state at each

/// Tokens between two states that a recurrence keeps for its backward pass.
inline constexpr dim_t span = 32;

/// The run-time sizes behind the names.
struct Seq {
  dim_t batch = 1;
  dim_t time = 1;

  constexpr RWKV_HD dim_t tokens() const { return batch * time; }
  constexpr RWKV_HD dim_t spans() const { return (time + span - 1) / span; }
  friend constexpr bool operator==(const Seq&, const Seq&) = default;
};

/// The shape of a tensor: widths are numbers, batch and time are names. Row-major, the last extent contiguous.
template <dim_t... D>
struct Shape {
  static constexpr int rank = sizeof...(D);
  static constexpr std::array<dim_t, sizeof...(D)> extents{D...};
  /// The product of the compile-time extents: scalars per token, or per sequence.
  static constexpr dim_t unit = ((D < 0 ? 1 : D) * ... * dim_t{1});
  static constexpr RWKV_HD dim_t extent(dim_t d, Seq s) {
    return d == Batch ? s.batch : d == Time ? s.time : d == Spans ? s.spans() : d;
  }
  static constexpr RWKV_HD dim_t size([[maybe_unused]] Seq s) { return (extent(D, s) * ... * dim_t{1}); }
};

/// Token numbers, (Batch, Time): the one signal that is not made of scalars.
struct Ids : Shape<Batch, Time> {};

/// Spelled so that a compiler's complaint shows the two shapes one under the other.
template <class Produced, class Expected>
concept SameShape = std::same_as<Produced, Expected>;

}  // namespace rwkv
