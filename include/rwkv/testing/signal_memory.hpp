#pragma once
#include <cstdint>
#include <vector>

#include <rwkv/core/carry.hpp>
#include <rwkv/core/owned.hpp>
#include <rwkv/core/token_buffer.hpp>
#include <rwkv/testing/numbers.hpp>

namespace rwkv::testing {
namespace detail {

/// The tensors of a signal as a bundle.
template <class Tensors>
struct Signal {
  Tensors tensors;
  static constexpr void fields(auto&& f, auto&&... s) { f(Field{"signal"}, s.tensors...); }
};

}  // namespace detail

/// What goes into a layer or comes out of it, in the memory of machine B.
template <class B, class S>
class SignalMemory {
 public:
  static constexpr bool reads_tokens = false;
  using Tensors = TensorOf<B, S>;

  explicit SignalMemory(Seq seq) : held_(seq) {}
  explicit SignalMemory(const SignalNumbers& numbers) : held_(numbers.seq) {
    auto from = numbers.values.begin();
    for (const Leaf& leaf : held_.leaves()) {
      const std::vector<typename B::scalar> host(from, from + leaf.size);
      B::upload(held_.data() + leaf.offset, host.data(), leaf.size);
      from += leaf.size;
    }
  }
  Tensors view() { return held_.tensors; }

  /// Of each tensor; takes no memory, so that no device need be there.
  static std::vector<dim_t> channels() {
    std::vector<dim_t> all;
    for (const Leaf& leaf : list_leaves<B, detail::Signal<Tensors>>(Seq{1, 1})) all.push_back(leaf.size);
    return all;
  }

 private:
  Owned<B, detail::Signal<Tensors>> held_;
};

/// Token numbers are no scalars: they have no gradient.
template <class B>
class SignalMemory<B, Ids> {
 public:
  static constexpr bool reads_tokens = true;
  explicit SignalMemory(Seq seq) : view_{nullptr, seq} {}
  explicit SignalMemory(const SignalNumbers& numbers)
      : view_(memory_(std::vector<std::int32_t>(numbers.values.begin(), numbers.values.end()), numbers.seq)) {}
  TokenIds view() { return view_; }
  static std::vector<dim_t> channels() { return {1}; }

 private:
  TokenBuffer<B> memory_;
  TokenIds view_;
};

/// The numbers of a signal, tensor by tensor; none of token numbers.
template <class B, class Tensors>
std::vector<double> signal_values(const Tensors& tensors) {
  std::vector<double> all;
  if constexpr (!std::is_same_v<Tensors, TokenIds>) {
    detail::Signal<Tensors> signal{tensors};
    for_each_leaf(
        [&](auto&, auto&, auto& tensor) {
          std::vector<typename B::scalar> host(static_cast<std::size_t>(tensor.size()));
          B::download(host.data(), tensor.data, tensor.size());
          all.insert(all.end(), host.begin(), host.end());
        },
        signal);
  }
  return all;
}

}  // namespace rwkv::testing
