#pragma once
#include <concepts>
#include <utility>
#include <variant>

#include <rwkv/text/streams.hpp>
#include <rwkv/text/windows.hpp>

namespace rwkv {

/// Windows or Streams, chosen at run time.
class Batches {
 public:
  /// Another source is another name in this list.
  using Kind = std::variant<Windows, Streams>;

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

static_assert(BatchSource<Windows> && BatchSource<Streams> && BatchSource<Batches>);

}  // namespace rwkv
