#pragma once
#include <rwkv/backend/grid.hpp>
#include <rwkv/core/bf16.hpp>

// Matrices that a warp multiplies together, on tensor cores: 16 x 16 times 16 x 8 numbers of bf16, summed in float.
// They lie in the registers of its 32 threads as PTX's mma.m16n8k16 wants them; below, g = thread % 32 / 4 and
// i = thread % 4. What is read lies in shared memory, on 16 bytes, every row.
//
//   SumFragment sums{};
//   here.multiply(read_left(here, a, stride), read_right(here, b, stride)[0], sums);
namespace rwkv {

/// Pairs of bf16 that a thread holds, the first of a pair in the lower half.
template <int Count>
struct Pairs {
  std::uint32_t at[Count];
};
/// Of the left matrix: row g, columns 2i and 2i + 1; row g + 8; and the same eight columns further.
using LeftFragment = Pairs<4>;
/// Of the right one: column g, rows 2i and 2i + 1; and eight rows further.
using RightFragment = Pairs<2>;
/// Of the product: row g, columns 2i and 2i + 1; then row g + 8.
struct SumFragment {
  float at[4];
};

/// Which number of a product a thread's number n is.
inline RWKV_HD int fragment_row(int thread, int n) {
  return thread % warp / 4 + n / 2 * 8;
}
inline RWKV_HD int fragment_column(int thread, int n) {
  return thread % 4 * 2 + n % 2;
}

/// Both rounded to nearest, ties to even.
inline RWKV_HD std::uint32_t pair_of(float first, float second) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  std::uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
  return pair;
#else
  return bf16(first).bits | std::uint32_t(bf16(second).bits) << 16;
#endif
}

/// Two products beside each other, rounded, are a left matrix: no other thread's numbers are needed.
inline RWKV_HD LeftFragment left_of(const SumFragment& a, const SumFragment& b) {
  return {pair_of(a.at[0], a.at[1]), pair_of(a.at[2], a.at[3]), pair_of(b.at[0], b.at[1]), pair_of(b.at[2], b.at[3])};
}

/// A block whose warps multiply matrices.
template <class X>
concept TensorBlock = Block<X> &&
    requires(X& here, const LeftFragment& a, const RightFragment& b, SumFragment& sums, bf16* to, const bf16* from) {
  here.multiply(a, b, sums);  // sums += a b
  // Four matrices of 8 x 8 from shared memory: thread 8 m + r of the warp says where row r of matrix m lies, on 16
  // bytes. Every thread gets of each matrix row g, columns 2i and 2i + 1, or, transposed, column g, rows 2i and 2i + 1.
  { here.template matrices<false>(from) } -> std::same_as<Pairs<4>>;
  { here.template matrices<true>(from) } -> std::same_as<Pairs<4>>;
  here.start_copy(to, from, true);  // of 16 bytes into shared memory; zeros where `from` is said not to be there
  here.finish_copies();             // those that this thread started; others have them behind the next sync
};

/// A machine whose blocks are TensorBlocks; whether the device can multiply, it says when it runs.
template <class B>
concept TensorGrid = Grid<B> && requires {
  { B::has_tensor_cores() } -> std::same_as<bool>;
};

/// The 16 x 16 numbers from `at` on, rows `stride` apart.
template <TensorBlock Here>
[[gnu::always_inline]] inline RWKV_HD LeftFragment read_left(Here& here, const bf16* at, int stride) {
  const int lane = here.thread() % warp;
  return here.template matrices<false>(at + lane % 16 * stride + lane / 16 * 8);
}

/// Two right matrices, side by side.
struct RightFragments {
  RightFragment of[2];
  RWKV_HD const RightFragment& operator[](int n) const { return of[n]; }
};
/// Those of which the 16 *columns* lie from `at` on, `stride` apart.
template <TensorBlock Here>
[[gnu::always_inline]] inline RWKV_HD RightFragments read_right_by_columns(Here& here, const bf16* at, int stride) {
  const int lane = here.thread() % warp;
  const auto x = here.template matrices<false>(at + (lane % 8 + lane / 16 * 8) * stride + lane / 8 % 2 * 8);
  return {{{x.at[0], x.at[1]}, {x.at[2], x.at[3]}}};
}
/// Those of which the 16 rows lie from `at` on, `stride` apart.
template <TensorBlock Here>
[[gnu::always_inline]] inline RWKV_HD RightFragments read_right(Here& here, const bf16* at, int stride) {
  const int lane = here.thread() % warp;
  const auto x = here.template matrices<true>(at + lane % 16 * stride + lane / 16 * 8);
  return {{{x.at[0], x.at[1]}, {x.at[2], x.at[3]}}};
}

}  // namespace rwkv
