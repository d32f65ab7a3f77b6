#pragma once
#include <rwkv/core/fields.hpp>

namespace rwkv {

/// A signal of two tensors that travel together: the stream, which composers add to, and what is carried along with
/// it, as when every block needs what the first one made. Either may be a Carry again.
template <class Stream, class Carried>
struct Carry {};

/// The tensors of a Carry; a bundle like any other.
template <class Stream, class Carried>
struct CarryOf {
  Stream stream;
  Carried carried;
  static constexpr void fields(auto&& f, auto&&... c) {
    f(Field{"stream"}, c.stream...);
    f(Field{"carried"}, c.carried...);
  }
};

namespace detail {
template <class B, class Stream, class Carried>
struct SignalOf<B, Carry<Stream, Carried>> {
  using type = CarryOf<typename SignalOf<B, Stream>::type, typename SignalOf<B, Carried>::type>;
};

template <class S>
struct StreamOf {
  using type = S;
};
template <class Stream, class Carried>
struct StreamOf<Carry<Stream, Carried>> {
  using type = Stream;
};
}  // namespace detail

/// The shape of a signal's stream: the signal's own unless it is a Carry.
template <class S>
using stream_of = typename detail::StreamOf<S>::type;

/// The tensor of a signal's stream.
template <class T, class S>
constexpr View<T, S> stream(const View<T, S>& x) {
  return x;
}
template <class Stream, class Carried>
constexpr Stream stream(const CarryOf<Stream, Carried>& x) {
  return x.stream;
}

/// The signal with another tensor for its stream.
template <class T, class S>
constexpr View<T, S> with_stream(const View<T, S>&, const View<T, S>& stream) {
  return stream;
}
template <class Stream, class Carried>
constexpr CarryOf<Stream, Carried> with_stream(const CarryOf<Stream, Carried>& x, const Stream& stream) {
  return {stream, x.carried};
}

template <class Stream, class Carried>
constexpr Seq seq_of(const CarryOf<Stream, Carried>& x) {
  return seq_of(x.stream);
}

}  // namespace rwkv
