#pragma once
#include <cstdint>

#include <rwkv/core/shape.hpp>

namespace rwkv {

namespace detail {
template <class V>
struct AsMatrix {
  static_assert(sizeof(V) == 0, "rwkv: x.matrix() is an Eigen::Map; include <rwkv/eigen.hpp>");
};
}  // namespace detail

/// A pointer with a shape: the compile-time widths in the type, batch and time beside it. Owns nothing, copies freely.
template <class T, class S>
struct View {
  using scalar = T;
  using shape = S;
  T* data = nullptr;
  Seq seq{};

  constexpr RWKV_HD dim_t size() const { return shape::size(seq); }
  constexpr RWKV_HD T& operator[](dim_t i) const { return data[i]; }
  /// As an Eigen::Map, tokens as rows: with <rwkv/eigen.hpp>.
  template <class V = View>
  auto matrix() const {
    return detail::AsMatrix<V>::of(*this);
  }
};

/// A view of B's scalars: Tensor<B, Batch, Time, C>.
template <class B, dim_t... D>
using Tensor = View<typename B::scalar, Shape<D...>>;

/// Token numbers, (Batch, Time), in the memory of the machine that reads them: see TokenBuffer.
using TokenIds = View<const std::int32_t, Ids>;

namespace detail {
template <class B, class S>
struct SignalOf {
  using type = View<typename B::scalar, S>;
};
template <class B>
struct SignalOf<B, Ids> {
  using type = TokenIds;
};
}  // namespace detail

/// What a signal of shape S is on machine B: a View, token numbers, or several views.
template <class B, class S>
using TensorOf = typename detail::SignalOf<B, S>::type;

/// The run-time sizes of a signal.
template <class T, class S>
constexpr Seq seq_of(const View<T, S>& x) {
  return x.seq;
}

}  // namespace rwkv
