#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/layers/check_layer.hpp>

namespace rwkv {

/// The parameters of Net on machine B, with the initial values that their fields declare. The same seed gives the same
/// model on any machine and with any number of threads. Error if two parameters have the same name.
template <class Net, Backend B = Cpu<float>>
struct Model {
  static_assert(sizeof(detail::CheckedCalls<B, Net>) > 0);  // says what the net lacks
  using net = Net;
  using backend = B;
  using Params = typename detail::checked<Net>::template Params<B>;
  using Cache = typename detail::checked<Net>::template Cache<B>;
  using State = Owned<Accum<B>, typename detail::checked<Net>::template State<Accum<B>>>;

  Owned<B, Params> params;

  explicit Model(std::uint64_t seed = 0) : Model(Layout<B>{}) { params.reset(seed); }
  /// To be loaded: matrices are stored as the layout says, all parameters are zero. See layout_as_stored.
  explicit Model(Layout<B> layout) : params({}, std::move(layout)) { detail::expect_different_names(params.leaves()); }
  /// What `batch` sequences remember before their first token.
  static State fresh_state(dim_t batch = 1) {
    State state({batch, 1});
    state.reset();
    return state;
  }
};

/// A language model: token numbers to logits over a vocabulary.
template <class Net>
concept LanguageModel = std::same_as<typename Net::In, Ids> && requires {
  typename Net::Out;
};

/// How many tokens a language model tells apart.
template <LanguageModel Net>
inline constexpr dim_t vocabulary = Net::Out::unit;

}  // namespace rwkv
