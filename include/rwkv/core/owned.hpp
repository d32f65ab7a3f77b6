#pragma once
#include <utility>

#include <rwkv/core/accum.hpp>
#include <rwkv/core/leaf_memory.hpp>

namespace rwkv {

/// A bundle and its memory. A regular value: a copy is deep.
template <class B, Bundle P>
class Owned : public P, public LeafMemory<B> {
  using Memory = LeafMemory<B>;

 public:
  using typename Memory::T;
  using bundle = P;
  using Memory::data, Memory::size, Memory::seq, Memory::leaves, Memory::zero, Memory::reset, Memory::upload,
      Memory::download;

  /// All zeros; see reset for initial values. Error for sizes below 0 or beyond what can be counted; what is beyond the
  /// machine's memory is its OutOfMemory.
  explicit Owned(Seq of = {}, Layout<B> layout = {}) : Memory(of, std::move(layout), list_leaves<B, P>) { bind(); }
  Owned(const Owned& other) : P(), Memory(other) { bind(); }
  Owned(Owned&& other) noexcept : P(std::exchange(other.view(), P{})), Memory(std::move(other)) {}
  Owned& operator=(Owned other) noexcept {
    view() = other.view();
    Memory::operator=(std::move(other));
    return *this;
  }

  P& view() { return *this; }
  const P& view() const { return *this; }

 private:
  void bind() {
    typename Memory::Binding binding(*this);
    detail::place_each(view(), static_cast<detail::LeafVisitor<B>&>(binding));
  }
};

}  // namespace rwkv
