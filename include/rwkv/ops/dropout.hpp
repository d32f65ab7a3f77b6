#pragma once
#include <cstdint>

#include <rwkv/backend/backend.hpp>
#include <rwkv/core/dropout_stream.hpp>
#include <rwkv/core/lanes.hpp>
#include <rwkv/core/view.hpp>

// Dropout (Srivastava et al. 2014): a number is left out with probability p, else divided by 1 - p. Which ones is a
// function of the call's random stream and the number's place alone, so a mask is never stored: every kernel, forwards
// and backwards, on any thread, finds the same one.
namespace rwkv {
namespace detail {

/// As many bits as T is computed with, so that lanes of words stand beside lanes of numbers; 32 of them are used.
template <class T>
using RandomWord = std::conditional_t<sizeof(compute_of<T>) == 4, std::uint32_t, std::uint64_t>;

/// 32 bits to 32 bits, each of which depends on all: the finalizer of MurmurHash3 (Appleby).
template <class U>
[[gnu::always_inline]] RWKV_HD inline U scrambled(U x) {
  constexpr auto low = scalar_of<U>(0xFFFFFFFFu);
  x = ((x ^ (x >> 16)) * scalar_of<U>(0x85EBCA6Bu)) & low;
  x = ((x ^ (x >> 13)) * scalar_of<U>(0xC2B2AE35u)) & low;
  return x ^ (x >> 16);
}

}  // namespace detail

/// Nothing is dropped.
struct KeepAll {
  static constexpr bool any = false;
  template <class T>
  RWKV_HD detail::RandomWord<T> word(dim_t) const {
    return 0;
  }
  template <class L>
  static RWKV_HD L factor(auto, auto) {
    return broadcast<L>(1);
  }
};

/// Percent of 100 numbers are dropped. A row of them has a word of its own.
template <int Percent>
struct DropSome {
  static_assert(0 < Percent && Percent < 100, "Dropout: the share that is dropped must lie between 0 and 100 percent");
  static constexpr bool any = true;
  Random random;
  std::uint64_t before = 0;  ///< rows before the first one here

  template <class T>
  RWKV_HD detail::RandomWord<T> word(dim_t row) const {
    return random.words(before + static_cast<std::uint64_t>(row))[0];
  }
  /// What number `column` of the row with that word is multiplied by: 0 or 1 / (1 - p). Either may be lanes.
  template <class L>
  [[gnu::always_inline]] static RWKV_HD L factor(auto word, auto column) {
    using T = scalar_of<L>;
    constexpr auto below = static_cast<detail::RandomWord<T>>((std::uint64_t(Percent) << 32) / 100);
    constexpr auto low = detail::RandomWord<T>(0xFFFFFFFFu),
                   apart = detail::RandomWord<T>(0x9E3779B9u);  // neighbours, far from each other
    return detail::scrambled(word ^ (column * apart & low)) >= below ? broadcast<L>(T(100) / T(100 - Percent)) : L{};
  }
};

namespace detail {

/// The columns that an index stands for, as words.
template <class T>
RWKV_HD RandomWord<T> columns(dim_t c) {
  return static_cast<RandomWord<T>>(c);
}
template <class T, int W>
RWKV_HD Pack<RandomWord<T>, W> columns(Lanes<W> c) {
  if constexpr (W == 1) {
    return columns<T>(c.first);
  } else {
    Pack<RandomWord<T>, W> all{};
    for (int l = 0; l < W; ++l) all[l] = static_cast<RandomWord<T>>(c.first + l);
    return all;
  }
}

template <class T, int Percent>
struct DropElements {
  DropSome<Percent> drops;
  dim_t width;
  const T* x;
  T* y;
  RWKV_HD void operator()(dim_t row, auto c) const {
    using L = At<T, decltype(c)>;
    const auto i = row * width + c;
    store(y, i, load(x, i) * drops.template factor<L>(drops.template word<T>(row), columns<T>(c)));
  }
};

}  // namespace detail

/// f(what is dropped), where each token has so many rows: nothing where Percent is 0 or the stream is not active.
template <int Percent, class F>
void with_drops([[maybe_unused]] const DropoutStream& stream, [[maybe_unused]] std::uint64_t rows, const F& f) {
  if constexpr (Percent > 0)
    if (stream.active) return f(DropSome<Percent>{stream.random, stream.before * rows});
  f(KeepAll{});
}

/// y = x, of which Percent of 100 numbers are 0 and the others divided by 1 - Percent / 100; the gradient goes back by
/// the same call, from dy to dx. y may be x.
template <class B, int Percent, class S>
void dropout(DropSome<Percent> drops, View<typename B::scalar, S> x, View<typename B::scalar, S> y) {
  B::for_each(x.seq.tokens(), S::unit,
              detail::DropElements<typename B::scalar, Percent>{drops, S::unit, x.data, y.data});
}

}  // namespace rwkv
