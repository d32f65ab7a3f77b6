#pragma once
#include <concepts>
#include <utility>
#include <variant>

#include <rwkv/text/contiguous_batches.hpp>
#include <rwkv/text/random_windows.hpp>

namespace rwkv {

/// RandomWindows or ContiguousBatches, chosen at run time.
class Batches {
 public:
  /// Another source is another name in this list.
  using Kind = std::variant<RandomWindows, ContiguousBatches>;

  template <class K>
  requires std::constructible_from<Kind, K> Batches(K kind) : kind_(std::move(kind)) {}

  Seq seq() const {
    return std::visit([](const auto& kind) { return kind.seq(); }, kind_);
  }
  void fill(dim_t step, Minibatch& batch) const {
    std::visit([&](const auto& kind) { kind.fill(step, batch); }, kind_);
  }

 private:
  Kind kind_;
};

static_assert(BatchSource<RandomWindows> && BatchSource<ContiguousBatches> && BatchSource<Batches>);

}  // namespace rwkv
