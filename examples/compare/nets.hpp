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

/// What the nets that are compared have in common: the width and depth of an RWKV-4, and heads of transformers and of
/// RWKV-1.
template <dim_t Width, int Layers, int Heads, int Rwkv1Heads>
struct Ladder {
  static constexpr dim_t width = Width;
  static constexpr int layers = Layers, heads = Heads, rwkv1_heads = Rwkv1Heads;
};
// By about how many parameters they have.
using Ladder1m = Ladder<128, 4, 2, 4>;
using Ladder14m = Ladder<384, 7, 8, 6>;
using Ladder90m = Ladder<768, 12, 16, 12>;

// One of each ladder; whoever names one does not have the others matched. All but RWKV-4 have its depth, and as many
// parameters.
template <class L>
using Rwkv4 = rwkv::v4::Model<vocabulary, L::width, L::layers>;
template <class L, class Family>
using Match = typename rwkv::SizeMatch<Rwkv4<L>, Family>::type;
template <class L>
using Rwkv5 = Match<L, Rwkv5Family<L::width, L::layers>>;
template <class L>
using Rwkv6 = Match<L, Rwkv6Family<L::width, L::layers>>;
template <class L>
using Rwkv7 = Match<L, Rwkv7Family<L::width, L::layers>>;
template <class L>
using Gpt2 = Match<L, Gpt2Family<L::layers, L::heads>>;
template <class L>
using StudyGpt = Match<L, StudyFamily<L::layers, L::heads>>;
template <class L>
using V1Silu = Match<L, Rwkv1Family<L::layers, L::rwkv1_heads, rwkv::activation::Silu>>;
template <class L>
using V1Relu = Match<L, Rwkv1Family<L::layers, L::rwkv1_heads, rwkv::activation::Relu>>;

}  // namespace compare
