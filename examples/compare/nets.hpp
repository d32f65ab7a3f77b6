#pragma once
#include <rwkv/models/families.hpp>
#include <rwkv/models/size_match.hpp>

namespace compare {
using rwkv::dim_t;

/// Tokens that every model knows; a text may have fewer.
inline constexpr dim_t vocabulary = 128;
/// Tokens of a transformer's window.
inline constexpr dim_t window = 256;

template <int Layers, int Heads>
struct Gpt2Family {
  template <dim_t N>
  using of = rwkv::gpt2::Model<vocabulary, Heads * N, Layers, Heads, window>;
};
template <int Layers, int Heads>
struct StudyFamily {
  template <dim_t N>
  using of = rwkv::gpt2::study::Model<vocabulary, Heads * N, Layers, Heads, window>;
};
/// As in the study, every head is as wide as the model.
template <int Layers, int Heads, class Activation>
struct Rwkv1Family {
  template <dim_t N>
  using of = rwkv::v1::Model<vocabulary, 2 * N, Layers, Heads, 2 * N, 2 * N, window, Activation>;
};

/// Versions 5 to 7 keep their width, for heads of 64, and grow inside channel mixing.
template <dim_t Width, int Layers>
struct Rwkv5Family {
  template <dim_t N>
  using of = rwkv::v5::Model<vocabulary, Width, Layers, 64, rwkv::v5::Kind::v5_2, 8 * N>;
};
template <dim_t Width, int Layers>
struct Rwkv6Family {
  template <dim_t N>
  using of = rwkv::v6::Model<vocabulary, Width, Layers, 64, 32, 64, 8 * N>;
};
template <dim_t Width, int Layers>
struct Rwkv7Family {
  using Widths = rwkv::v7::Widths<Width>;
  template <dim_t N>
  using of = rwkv::v7::Model<vocabulary, Width, Layers, 64, Widths::w, Widths::a, Widths::v, Widths::g, 8 * N>;
};

/// An RWKV-4 of that width and depth, and nets of the same depth and as many parameters. Heads: of transformers, and of
/// RWKV-1.
template <dim_t Width, int Layers, int Heads, int Rwkv1Heads>
struct Ladder {
  static constexpr int heads = Heads, rwkv1_heads = Rwkv1Heads;
  using Rwkv4 = rwkv::v4::Model<vocabulary, Width, Layers>;
  template <class Family>
  using Match = typename rwkv::SizeMatch<Rwkv4, Family>::type;

  using Rwkv5 = Match<Rwkv5Family<Width, Layers>>;
  using Rwkv6 = Match<Rwkv6Family<Width, Layers>>;
  using Rwkv7 = Match<Rwkv7Family<Width, Layers>>;
  using Gpt2 = Match<Gpt2Family<Layers, Heads>>;
  using StudyGpt = Match<StudyFamily<Layers, Heads>>;
  using V1Silu = Match<Rwkv1Family<Layers, Rwkv1Heads, rwkv::activation::Silu>>;
  using V1Relu = Match<Rwkv1Family<Layers, Rwkv1Heads, rwkv::activation::Relu>>;
};

// By about how many parameters they have.
using Ladder1m = Ladder<128, 4, 2, 4>;
using Ladder14m = Ladder<384, 7, 8, 6>;
using Ladder90m = Ladder<768, 12, 16, 12>;

}  // namespace compare
