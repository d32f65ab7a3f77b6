#pragma once
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include <rwkv/ops/norm.hpp>
#include <rwkv/training/checkpoint_part.hpp>
#include <rwkv/training/communicator.hpp>
#include <rwkv/training/master.hpp>
#include <rwkv/training/optimizer.hpp>

namespace rwkv {

/// Moves a model's parameters along their gradient, which it adds up over all ranks. Every rank moves all of them or,
/// sharded, a share, and then tells the others: what the optimizer remembers, and full-precision copies, are of that
/// share only. Both give the same bits. The gradient travels in full precision or as bf16.
template <class Net, Backend B, class O>
class Updater {
  using Full = Accum<B>;

 public:
  using Gradient = Owned<Full, typename Net::template Params<Full>>;

  template <class C>
  Updater(Model<Net, B>& model, const C& ranks, bool sharded, bool bf16_gradients = false)
      : model_(model),
        ranks_(ranks.size()),
        sharded_(sharded && ranks_ > 1),
        bf16_gradients_(bf16_gradients),
        own_(sharded_ ? share_of(gradient_.size(), ranks.rank(), ranks_) : Share{0, gradient_.size()}),
        leaves_(cut_to_run(gradient_.leaves(), own_)),
        master_(model, own_, gradient_.size()) {
    for (auto& memory : memory_) {
      memory.reset(Full::allocate(own_.size));
      Full::fill(memory.get(), own_.size, 0);
    }
  }

  /// Of the parameters that are trained, accumulated since the last step; of this rank alone, until it is added up.
  Gradient& gradient() { return gradient_; }

  /// Replaces the gradient by the sum over all ranks, or a share of it, and returns the norm of the whole sum.
  template <class C>
  double add_up(C& ranks, Scratch<B>& scratch) {
    const dim_t n = gradient_.size();
    bf16_gradients_ ? sum<bf16>(ranks) : sum<typename Full::scalar>(ranks);
    const Share mine = share_of(n, ranks.rank(), ranks_);
    double squares = sum_of_squares<B>(scratch, mine.size, gradient_.data() + mine.first);
    ranks.template sum<Cpu<double>>(&squares, 1);
    return std::sqrt(squares);
  }
  /// The step of the optimizer that follows; the gradient is zero then.
  template <class C>
  void step(const O& optimizer, const Update& update, C& ranks) {
    const auto step = [&]<std::size_t... i>(std::index_sequence<i...>) {
      optimizer.step(update, Trained<Full, sizeof...(i)>{
                                 leaves_, master_.params(), gradient_.data() + own_.first, {memory_[i].get()...}});
    };
    step(std::make_index_sequence<O::memory.size()>{});
    if (sharded_) gradient_.zero();
    write_back(ranks);
  }
  /// To be called when the parts have been replaced: the model's parameters become theirs.
  template <class C>
  void write_back(C& ranks) {
    master_.write_back();
    if (sharded_) ranks.template gather<B>(model_.params.data(), gradient_.size());
  }

  /// The parameters in full precision, and what the optimizer remembers.
  CheckpointParts parts() {
    const auto share = [this](const std::vector<Leaf>& leaves) {
      return [&leaves, n = gradient_.size(), ranks = ranks_](std::size_t i, int rank) {
        return leaves[i].offset < n ? within(leaves[i], share_of(n, rank, ranks)) : Share{0, leaves[i].size};
      };
    };
    CheckpointParts all{{"model.", master_.memory()}};
    if (sharded_ && master_.copies) all.back().share = share(model_.params.leaves());
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      all.push_back({O::memory[i], memory_of<Full>(leaves_, memory_[i].get())});
      if (sharded_) all.back().share = share(gradient_.leaves());
    }
    return all;
  }

 private:
  template <class Travel, class C>
  void sum(C& ranks) {
    if (sharded_)
      ranks.template scatter_sums<Full, Travel>(gradient_.data(), gradient_.size());
    else
      ranks.template sum<Full, Travel>(gradient_.data(), gradient_.size());
  }

  Model<Net, B>& model_;
  int ranks_;  // how many
  bool sharded_, bf16_gradients_;
  Gradient gradient_{Seq{}, Layout<Full>{.trained_only = true}};
  Share own_;
  std::vector<Leaf> leaves_;  // what of the gradient's is in that share
  Master<Net, B> master_;
  std::array<detail::Buffer<Full>, O::memory.size()> memory_;
};

}  // namespace rwkv
