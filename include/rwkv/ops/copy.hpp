#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/carry.hpp>

namespace rwkv {

/// Copies a signal; nothing where it is the same memory.
template <class B, class T, class S>
void copy(View<T, S> from, View<T, S> to) {
  if (from.data != to.data) B::copy(to.data, from.data, from.size());
}
template <class B, class Stream, class Carried>
void copy(const CarryOf<Stream, Carried>& from, const CarryOf<Stream, Carried>& to) {
  copy<B>(from.stream, to.stream);
  copy<B>(from.carried, to.carried);
}

/// Sets all numbers of a signal.
template <class B, class T, class S>
void fill(View<T, S> x, double value) {
  B::fill(x.data, x.size(), T(value));
}
template <class B, class Stream, class Carried>
void fill(const CarryOf<Stream, Carried>& x, double value) {
  fill<B>(x.stream, value);
  fill<B>(x.carried, value);
}

}  // namespace rwkv
