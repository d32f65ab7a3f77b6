#pragma once
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <rwkv/core/carry.hpp>
#include <rwkv/core/owned.hpp>
#include <rwkv/core/token_buffer.hpp>
#include <rwkv/testing/draw.hpp>

namespace rwkv::testing {

/// What goes into a layer or comes out of it, with its memory: scalars, token numbers, or two signals.
template <class B, class S>
class Signal {
 public:
  using T = typename B::scalar;
  static constexpr dim_t unit = S::unit;  ///< scalars per token

  explicit Signal(Seq seq) : held_(seq) {}
  Signal(Seq seq, const View<T, S>& from) : Signal(seq) { B::copy(held_.data(), from.data, from.size()); }

  View<T, S> view() { return held_.tensor; }
  /// f(scalar) for each of them.
  template <class F>
  void each(F&& f) {
    auto host = held_.download();
    for (dim_t i = 0; i < held_.tensor.size(); ++i) f(host[static_cast<std::size_t>(i)]);
    B::upload(held_.data(), host.data(), held_.size());
  }
  /// Tokens [first, first + count) of every sequence.
  Signal part(dim_t first, dim_t count) const {
    const Seq seq = held_.seq();
    Signal out({seq.batch, count});
    for (dim_t b = 0; b < seq.batch; ++b)
      B::copy(out.held_.data() + b * count * unit, held_.data() + (b * seq.time + first) * unit, count * unit);
    return out;
  }
  /// Where scalar number i is, in a signal that begins at token `first`.
  std::string place(dim_t i, dim_t first = 0) const {
    const dim_t token = i / unit, time = held_.seq().time;
    return "sequence " + std::to_string(token / time) + ", token " + std::to_string(first + token % time) +
           ", channel " + std::to_string(i % unit);
  }

 private:
  struct Single {
    View<T, S> tensor;
    static constexpr void fields(auto&& f, auto&&... s) { f(Field{"signal"}, s.tensor...); }
  };
  Owned<B, Single> held_;
};

template <class B>
class Signal<B, Ids> {
 public:
  static constexpr dim_t unit = 1;
  explicit Signal(Seq seq) : seq_(seq), values_(static_cast<std::size_t>(seq.tokens())) {}
  Signal(const Signal& other) : seq_(other.seq_), values_(other.values_) {}

  TokenIds view() { return on_machine_(values_, seq_); }
  template <class F>
  void each(F&&) {}  // token numbers are no scalars: nothing to perturb, no gradient
  template <class F>
  void each_token(F&& f) {
    for (std::int32_t& id : values_) f(id);
  }
  Signal part(dim_t first, dim_t count) const {
    Signal out({seq_.batch, count});
    for (dim_t b = 0, at = 0; b < seq_.batch; ++b)
      for (dim_t t = 0; t < count; ++t)
        out.values_[static_cast<std::size_t>(at++)] = values_[static_cast<std::size_t>(b * seq_.time + first + t)];
    return out;
  }
  std::string place(dim_t, dim_t = 0) const { return ""; }

 private:
  Seq seq_;
  std::vector<std::int32_t> values_;
  TokenBuffer<B> on_machine_;
};

template <class B, class X, class Y>
class Signal<B, Carry<X, Y>> {
 public:
  using Tensor = TensorOf<B, Carry<X, Y>>;
  static constexpr dim_t unit = Signal<B, X>::unit + Signal<B, Y>::unit;

  explicit Signal(Seq seq) : first_(seq), second_(seq) {}
  Signal(Seq seq, const Tensor& from) : first_(seq, from.stream), second_(seq, from.carried) {}

  Tensor view() { return {first_.view(), second_.view()}; }
  template <class F>
  void each(F&& f) {
    first_.each(f), second_.each(f);
  }
  Signal part(dim_t first, dim_t count) const { return {first_.part(first, count), second_.part(first, count)}; }
  std::string place(dim_t i, dim_t = 0) const { return "number " + std::to_string(i) + " of two tensors"; }

 private:
  Signal(Signal<B, X> first, Signal<B, Y> second) : first_(std::move(first)), second_(std::move(second)) {}

  Signal<B, X> first_;
  Signal<B, Y> second_;
};

/// Standard normal scalars, with `wild` one in eight ten times as large; tokens below `vocabulary`.
template <class S>
void fill_random(S& signal, Draw& draw, bool wild, dim_t vocabulary) {
  signal.each([&](auto& x) {
    x = static_cast<std::remove_cvref_t<decltype(x)>>(draw.normal() * (wild && draw.once_in(8) ? 10 : 1));
  });
  if constexpr (requires { signal.each_token([](std::int32_t&) {}); })
    signal.each_token([&](std::int32_t& id) { id = static_cast<std::int32_t>(draw.below(vocabulary)); });
}

/// All scalars, as double.
template <class S>
std::vector<double> numbers(S& signal) {
  std::vector<double> all;
  signal.each([&](auto& x) { all.push_back(static_cast<double>(x)); });
  return all;
}

}  // namespace rwkv::testing
