#pragma once
#include <concepts>
#include <cstring>
#include <type_traits>
#include <utility>

#include <rwkv/core/config.hpp>

// The index decides how much is read. A plain dim_t stands for one channel, Lanes<W> for W neighbouring ones, and load,
// store, the operators and rwkv::math follow. A kernel takes `auto c` and never mentions a width: the same text is a
// register of channels on a CPU, the tail of a row, and a thread of a GPU.
namespace rwkv {

/// An index that stands for W neighbouring channels, from `first` on.
template <int W>
struct Lanes {
  dim_t first;
  friend RWKV_HD constexpr Lanes operator+(Lanes i, dim_t n) { return {i.first + n}; }
  friend RWKV_HD constexpr Lanes operator+(dim_t n, Lanes i) { return {i.first + n}; }
  friend RWKV_HD constexpr Lanes operator-(Lanes i, dim_t n) { return {i.first - n}; }
};

namespace detail {

#if defined(__CUDA_ARCH__)
inline constexpr int register_bytes = 1;  // a thread is a lane
#elif defined(__AVX512F__)
inline constexpr int register_bytes = 64;
#elif defined(__AVX__)
inline constexpr int register_bytes = 32;
#else
inline constexpr int register_bytes = 16;  // SSE2, NEON
#endif

template <class T, int W>
struct PackOf {};  // no pack of anything but numbers
template <class T, int W>
requires std::is_arithmetic_v<T>
struct PackOf<T, W> {
  typedef T type __attribute__((vector_size(sizeof(T) * W)));
};
template <class T>
requires std::is_arithmetic_v<T>
struct PackOf<T, 1> {
  using type = T;
};

template <class L>
struct LaneTraits {
  using scalar = std::remove_cvref_t<decltype(std::declval<L&>()[0])>;
  static constexpr int width = sizeof(L) / sizeof(scalar);
};
template <class L>
requires std::is_arithmetic_v<L>
struct LaneTraits<L> {
  using scalar = L;
  static constexpr int width = 1;
};

}  // namespace detail

/// W values side by side in a register; the bare scalar when W is 1. Operators, comparisons and ?: are the compiler's.
template <class T, int W>
using Pack = typename detail::PackOf<T, W>::type;
/// The number type of a pack, or of a number.
template <class L>
using scalar_of = typename detail::LaneTraits<L>::scalar;
/// How many numbers a pack holds; 1 for a number.
template <class L>
inline constexpr int width_of = detail::LaneTraits<L>::width;
/// What a number that is stored as T is computed with: T, unless T says otherwise.
template <class T>
struct ComputeOf {
  using type = T;
};
template <class T>
using compute_of = typename ComputeOf<T>::type;
template <class T>
struct ComputeOf<const T> {
  using type = const compute_of<T>;
};

/// How many numbers, as T is computed with, fill a register of this machine.
template <class T>
inline constexpr int native_width = detail::register_bytes < 16
                                        ? 1
                                        : static_cast<int>(detail::register_bytes / sizeof(compute_of<T>));

template <std::floating_point T>
RWKV_HD T load(const T* p, dim_t i) {
  return p[i];
}
template <std::floating_point T>
RWKV_HD void store(T* p, dim_t i, T x) {
  p[i] = x;
}
template <std::floating_point T, int W>
RWKV_HD Pack<T, W> load(const T* p, Lanes<W> i) {
  if constexpr (W == 1) {  // a GPU would copy byte by byte
    return load(p, i.first);
  } else {
    Pack<T, W> x;
    std::memcpy(&x, p + i.first, sizeof x);
    return x;
  }
}
template <std::floating_point T, int W>
RWKV_HD void store(T* p, Lanes<W> i, const std::type_identity_t<Pack<T, W>>& x) {
  if constexpr (W == 1)
    store(p, i.first, x);
  else
    std::memcpy(p + i.first, &x, sizeof x);
}

/// Asks for what will be read soon: rows of a long sequence lie further apart than a prefetcher looks. Inlined always:
/// GCC takes a function that does nothing else for one without effects, and drops calls of it.
template <class T, class Index>
[[gnu::always_inline]] RWKV_HD inline void prefetch([[maybe_unused]] const T* p, [[maybe_unused]] Index i) {
#ifndef __CUDA_ARCH__
  if constexpr (requires { i.first; }) __builtin_prefetch(p + i.first);
#endif
}

/// What load gives at an index of type Index: what T is computed with, or a Pack of it.
template <class T, class Index>
using At = decltype(load(std::declval<const T*>(), std::declval<Index>()));

/// x in every lane of an L. x - 0 is one broadcast; 0 + x would be an addition, since it turns -0 into 0.
template <class L>
RWKV_HD L broadcast(scalar_of<L> x) {
  return x - L{};
}

/// Lanes Index... of x and y side by side.
template <int... Index, class L>
[[gnu::always_inline]] inline L shuffle(L x, L y) {
#ifdef __CUDACC__  // whose front end does not know the builtin
  constexpr int from[]{Index...}, W = width_of<L>;
  if constexpr (W == 1) {
    return from[0] < W ? x : y;
  } else {
    L z{};
    for (int j = 0; j < W; ++j) z[j] = from[j] < W ? x[from[j]] : y[from[j] - W];
    return z;
  }
#else
  return __builtin_shufflevector(x, y, Index...);
#endif
}

/// Every lane of x as a To.
template <class To, class L>
[[gnu::always_inline]] RWKV_HD inline auto convert(L x) {
  if constexpr (width_of<L> == 1) {
    return static_cast<To>(x);
  } else {
    using Wanted = Pack<To, width_of<L>>;
#ifdef __CUDACC__
    Wanted z{};
    for (int j = 0; j < width_of<L>; ++j) z[j] = static_cast<To>(x[j]);
    return z;
#else
    return __builtin_convertvector(x, Wanted);
#endif
  }
}

/// Reduces the lanes of x to one, always in the same order: halves, quarters, ...
template <class L, class Combine>
RWKV_HD scalar_of<L> reduce_lanes(L x, const Combine& combine) {
  if constexpr (width_of<L> == 1) {
    return x;
  } else {
    Pack<scalar_of<L>, width_of<L> / 2> low, high;
    std::memcpy(&low, &x, sizeof low);
    std::memcpy(&high, reinterpret_cast<const char*>(&x) + sizeof low, sizeof high);
    return reduce_lanes(combine(low, high), combine);
  }
}

}  // namespace rwkv
