#pragma once
#include <rwkv/core/error.hpp>
#include <rwkv/core/token_buffer.hpp>
#include <rwkv/models/model.hpp>

namespace rwkv {

/// The memory that a model's forward pass needs besides its parameters, for signals of one size.
template <class Net, Backend B>
struct Workspace {
  using Cache = Owned<B, typename Model<Net, B>::Cache>;
  using State = typename Model<Net, B>::State;

  Seq seq;
  Context<B> context;
  TokenBuffer<B> inputs, targets;
  Cache cache;
  State fresh;  ///< of sequences that begin

  /// Error for sizes below 1. OutOfMemory names the largest batch that fits.
  explicit Workspace(Seq of)
      : seq(detail::expect_sizes(of, 1)), cache(make_cache(of)), fresh(Model<Net, B>::fresh_state(of.batch)) {}

  auto forward(const Model<Net, B>& model, TensorOf<B, typename Net::In> x, State& state) {
    return Net::forward(context, model.params, x, cache.view(), state.view());
  }
  void restart(State& state) const { Accum<B>::copy(state.data(), fresh.data(), fresh.size()); }

 private:
  static Cache make_cache(Seq seq) {
    try {
      return Cache(seq);
    } catch (const OutOfMemory& error) {
      dim_t fits = 0;
      for (dim_t too_many = seq.batch; too_many - fits > 1;) {
        const dim_t batch = fits + (too_many - fits) / 2;
        std::size_t wanted = 0;
        for (const Leaf& leaf : list_leaves<B, typename Model<Net, B>::Cache>({batch, seq.time}))
          wanted += std::size_t(leaf.bytes());
        (wanted <= error.free ? fits : too_many) = batch;
      }
      if (fits == 0)
        throw OutOfMemory(error.bytes, error.free, error.what(), "; there is no room for the activations of one ",
                          "sequence of ", seq.time, " tokens: shorten the context (time)");
      throw OutOfMemory(error.bytes, error.free, error.what(), "; of sequences of ", seq.time,
                        " tokens there is room for the activations of ", fits);
    }
  }
};

}  // namespace rwkv
