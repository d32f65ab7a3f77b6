#pragma once
#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include <rwkv/backend/graph_cache.hpp>
#include <rwkv/core/token_buffer.hpp>
#include <rwkv/inference/forward_cache.hpp>

namespace rwkv::detail {

/// Reads some tokens of each of several sequences at once. The sizes that come again and again, one token or `stretch`
/// tokens of `batch` sequences, are launched as one where the machine can record calls.
template <class Net, Backend B>
class TokenReader {
  using T = typename B::scalar;
  using State = typename Model<Net, B>::State;
  using Logits = TensorOf<B, typename Net::Out>;
  static constexpr dim_t V = vocabulary<Net>;

 public:
  TokenReader(const Model<Net, B>& model, dim_t batch, dim_t stretch)
      : model_(&model), batch_(batch), stretch_(stretch), one_(std::make_unique<Memory>()) {
    context_.needs_backward = false;
    one_->cache.of({batch, 1});
  }

  const Model<Net, B>& model() const { return *model_; }
  /// The most tokens of each sequence that are to be read at once.
  dim_t stretch() const { return stretch_; }

  /// `ids`, (batch, time), are tokens of the state's sequences; the logits that follow each of them, or only those that
  /// follow the last of each sequence.
  Logits read(State& state, std::span<const std::int32_t> ids, dim_t time, bool every) {
    const Seq seq{state.seq().batch, time};
    const bool single = seq == Seq{batch_, 1}, usual = single || seq == Seq{batch_, stretch_};
    if (!single && !many_) many_ = std::make_unique<Memory>();
    Memory& memory = single ? *one_ : *many_;
    const TokenIds tokens = memory.ids(ids, seq);
    auto& cache = memory.cache.of(seq);
    context_.last_token_only = !every;
    const auto forward = [&] { return Net::forward(context_, model_->params, tokens, cache, state.view()); };
    if (every || !usual) return forward();
    memory.calls({model_->params.data(), state.data(), memory.cache.data(), tokens.data},
                 [&] { memory.last = forward(); });
    return memory.last;
  }
  /// So many rows of logits, on the host.
  void fetch(const T* from, dim_t rows, float* to) {
    if constexpr (std::is_same_v<T, float>) {
      B::download(to, from, rows * V);
    } else {
      scalars_.resize(std::max(scalars_.size(), static_cast<std::size_t>(rows * V)));
      B::download(scalars_.data(), from, rows * V);
      std::copy_n(scalars_.begin(), rows * V, to);
    }
  }

 private:
  struct Memory {
    ForwardCache<Net, B> cache = {};
    TokenBuffer<B> ids = {};
    GraphCache<B> calls = {};
    Logits last = {};  // of these calls
  };

  const Model<Net, B>* model_;
  Context<B> context_;
  dim_t batch_, stretch_;
  std::unique_ptr<Memory> one_, many_;  // of the single token of each sequence, and of all else
  std::vector<T> scalars_;              // as the machine has them, where they are not floats
};

/// Copies what some sequences of `all` remember to `some`, or back.
template <class B>
void copy_sequences(LeafMemory<B>& all, std::span<const dim_t> which, LeafMemory<B>& some, bool back) {
  for (std::size_t i = 0; i < all.leaves().size(); ++i) {
    const dim_t size = all.leaves()[i].size / all.seq().batch;  // every tensor of a state begins with the batch
    for (std::size_t row = 0; row < which.size(); ++row) {
      auto* const one = all.data() + all.leaves()[i].offset + which[row] * size;
      auto* const other = some.data() + some.leaves()[i].offset + static_cast<dim_t>(row) * size;
      B::copy(back ? one : other, back ? other : one, size);
    }
  }
}

}  // namespace rwkv::detail
