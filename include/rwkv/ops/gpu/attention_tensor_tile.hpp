#pragma once
#include <rwkv/backend/fragments.hpp>
#include <rwkv/ops/attention/reference.hpp>
#include <rwkv/ops/gpu/attention_tile.hpp>

// What the kernels of attention on tensor cores have in common. A block has four warps, and each of them 16 rows of a
// square of scores, or 32: their operands and sums stay in its registers. The columns of the square move past them, in
// tiles that lie in shared memory. Scores become the left matrix of the next product in the registers where they are.
namespace rwkv::detail::grid {

/// a b, rounded before anything is added to it: who subtracts it from itself gets 0.
#ifdef __CUDA_ARCH__
inline __device__ float rounded_product(float a, float b) {
  return __fmul_rn(a, b);
}
#else
[[gnu::noinline]] inline float rounded_product(float a, float b) {
  return a * b;
}
#endif

/// 2^x for x <= 0, for weights that are rounded to bf16: on a GPU in one instruction, within 2^-22. What would be
/// denormal is 0; NaN stays NaN.
inline RWKV_HD float weight_of(float x) {
#ifdef __CUDA_ARCH__
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return x < -126 ? 0 : exp2_nonpositive(x);
#endif
}
/// The larger one, or the one that is a number.
inline RWKV_HD float larger(float a, float b) {
#ifdef __CUDA_ARCH__
  return ::fmaxf(a, b);
#else
  return a > b || b != b ? a : b;
#endif
}

/// Which scores of a warp's square are seen: row 0 stands for the token that comes `behind` after the key of column 0.
/// Where keys have the rows and tokens the columns, Side is -1.
template <int Side>
struct SquareSight {
  int behind, window;
  bool any, cut;  // whether some are seen, and whether some are not
  RWKV_HD SquareSight(dim_t after, dim_t width, int rows, int columns)
      : behind(static_cast<int>(after)),
        window(static_cast<int>(width < most ? width : most)),
        any(!Sight{width}.hides(least(after, rows, columns), least(after, rows, columns) + rows + columns - 2)),
        cut(Sight{width}.cuts(least(after, rows, columns), least(after, rows, columns) + rows + columns - 2)) {}
  RWKV_HD bool sees(int row, int column) const {
    return static_cast<unsigned>(behind + Side * (row - column)) < static_cast<unsigned>(window);
  }

 private:
  static constexpr dim_t most = dim_t(1) << 30;
  static RWKV_HD dim_t least(dim_t after, int rows, int columns) { return after - (Side > 0 ? columns : rows) + 1; }
};

/// Rows of D channels in shared memory, channels of 0 up to whole fragments.
template <dim_t D>
struct TensorTile {
  static constexpr int threads = 128, warps = threads / warp;
  static constexpr int padded = static_cast<int>((D + 15) / 16 * 16), steps = padded / 16, across = padded / 8;
  static constexpr int stride = padded + 8;  // 8 rows begin in 8 different fours of banks
  static constexpr std::size_t most_bytes = 48 << 10;

  /// A warp's operands on the left, and its sums over channels.
  template <int Strips>
  using Rows = LeftFragment[Strips][steps];
  template <int Strips>
  using Sums = SumFragment[Strips][2 * steps];

  /// Starts to bring `Count` rows into shared memory; those that are not there become zeros.
  template <int Count>
  [[gnu::always_inline]] static RWKV_HD void bring(auto& here, bf16* to, const RowsInOrder<bf16>& rows) {
    if (D % 8 != 0 || reinterpret_cast<std::uintptr_t>(rows.from) % 16 != 0) {
      each_eight<Count>(here, [&](int r, int c) {
        const bf16* const from = rows.from + r * rows.apart + c;
        one_by_one(to + r * stride + c, [&](int e) { return r < rows.count && c + e < D ? from[e] : bf16{}; });
      });
    } else if constexpr (threads % across == 0 && Count * across % threads == 0) {
      constexpr int down = threads / across;
      const int r = here.thread() / across, c = here.thread() % across * 8;
      const bf16* from = rows.from + r * rows.apart + c;
      dim_t left = c < D ? rows.count - r : 0;
      unrolled<Count / down>([&](int k) {  // from one to the next: the compiler would keep every address
        here.start_copy(to + (r + k * down) * stride + c, from, left > 0);
        from += down * rows.apart, left -= down;
      });
    } else {
      each_eight<Count>(here, [&](int r, int c) {
        here.start_copy(to + r * stride + c, rows.from + r * rows.apart + c, r < rows.count && c < D);
      });
    }
  }
  /// The same of a head's keys or values from `first` to before `end`; those of the ring are rounded to what they were.
  template <int Count>
  [[gnu::always_inline]] static RWKV_HD void bring(auto& here, bf16* to, const History<float>& history,
                                                   const Keys<const bf16>& keys, const HeadTile& at, dim_t before,
                                                   dim_t first, dim_t end) {
    if (first >= 0) return bring<Count>(here, to, token_rows(history, keys.now, at, first, end));
    each_eight<Count>(here, [&](int r, int c) {
      bf16* const to_c = to + r * stride + c;
      const dim_t j = first + r;
      if (j >= 0) {
        const bf16* const now = keys.now + history.row(at.b, j, at.h) + c;
        one_by_one(to_c, [&](int e) { return j < end && c + e < D ? now[e] : bf16{}; });
      } else {
        const dim_t position = before + j, turns = quotient(position, history.window);
        const float* const cached =
            keys.cached + c + ((at.b * history.window + position - turns * history.window) * history.heads + at.h) * D;
        one_by_one(to_c, [&](int e) { return j < end && c + e < D ? bf16(cached[e]) : bf16{}; });
      }
    });
  }

  /// The 16 rows from `at` on, and as many as there are strips, as operands on the left.
  template <int Strips>
  [[gnu::always_inline]] static RWKV_HD void read(auto& here, const bf16* at, Rows<Strips>& rows) {
    unrolled<Strips>([&](int s) {
      unrolled<steps>([&](int k) { rows[s][k] = read_left(here, at + s * 16 * stride + k * 16, stride); });
    });
  }
  /// square = rows columns^T, the columns from `columns` on. Every number is summed up 16 channels after the other, so
  /// that every kernel gets the same.
  template <int Strips, int Columns>
  [[gnu::always_inline]] static RWKV_HD void dots(auto& here, const Rows<Strips>& rows, const bf16* columns,
                                                  SumFragment (&square)[Strips][Columns]) {
    dots(
        here, [&](int s, int k) -> const LeftFragment& { return rows[s][k]; }, columns, square);
  }
  /// The same, where row(strip, step) is what stands on the left.
  template <int Strips, int Columns>
  [[gnu::always_inline]] static RWKV_HD void dots(auto& here, const auto& row, const bf16* columns,
                                                  SumFragment (&square)[Strips][Columns]) {
    clear(square);
    unrolled<steps>([&](int k) {
      LeftFragment left[Strips];
      unrolled<Strips>([&](int s) { left[s] = row(s, k); });
      unrolled<Columns / 2>([&](int n) {
        const RightFragments right = read_right_by_columns(here, columns + n * 16 * stride + k * 16, stride);
        unrolled<Strips>([&](int s) {
          here.multiply(left[s], right[0], square[s][2 * n]), here.multiply(left[s], right[1], square[s][2 * n + 1]);
        });
      });
    });
  }
  /// sums += square rows, the square rounded.
  template <int Strips, int Columns>
  [[gnu::always_inline]] static RWKV_HD void add(auto& here, const SumFragment (&square)[Strips][Columns],
                                                 const bf16* rows, Sums<Strips>& sums) {
    unrolled<Columns / 2>([&](int n) {
      LeftFragment left[Strips];
      unrolled<Strips>([&](int s) { left[s] = left_of(square[s][2 * n], square[s][2 * n + 1]); });
      unrolled<steps>([&](int c) {
        const RightFragments right = read_right(here, rows + n * 16 * stride + c * 16, stride);
        unrolled<Strips>([&](int s) {
          here.multiply(left[s], right[0], sums[s][2 * c]), here.multiply(left[s], right[1], sums[s][2 * c + 1]);
        });
      });
    });
  }

  template <int Strips, int Columns>
  [[gnu::always_inline]] static RWKV_HD void clear(SumFragment (&square)[Strips][Columns]) {
    unrolled<Strips>([&](int s) { unrolled<Columns>([&](int n) { square[s][n] = {}; }); });
  }
  /// f(strip, n, i) for a thread's numbers of a square.
  template <int Strips, int Columns, class F>
  [[gnu::always_inline]] static RWKV_HD void each(SumFragment (&)[Strips][Columns], const F& f) {
    unrolled<Strips>([&](int s) { unrolled<Columns>([&](int n) { unrolled<4>([&](int i) { f(s, n, i); }); }); });
  }
  /// f(sum, neighbour, channel) for the pairs of neighbouring channels of a thread's row, `half` of a strip; the second
  /// may lie past the last channel.
  template <class F>
  [[gnu::always_inline]] static RWKV_HD void each_pair(int thread, const SumFragment (&sums)[2 * steps], int half,
                                                       const F& f) {
    unrolled<2 * steps>([&](int n) {
      if (const int c = n * 8 + fragment_column(thread, 0); padded == D || c < D)
        f(sums[n].at[2 * half], sums[n].at[2 * half + 1], c);
    });
  }
  /// Two neighbours of a row, rounded: at once, unless the row begins between two words of 4 bytes.
  [[gnu::always_inline]] static RWKV_HD void store_pair(bf16* row, int c, float first, float second) {
    struct alignas(4) Both {
      bf16 at[2];
    };
    const std::uint32_t pair = pair_of(first, second);
    if (D % 2 == 0 && reinterpret_cast<std::uintptr_t>(row) % alignof(Both) == 0) {
      *reinterpret_cast<Both*>(row + c) = std::bit_cast<Both>(pair);
      return;
    }
    row[c].bits = static_cast<std::uint16_t>(pair);
    if (D % 2 == 0 || c + 1 < D) row[c + 1].bits = static_cast<std::uint16_t>(pair >> 16);
  }

 private:
  /// to[e] = f(e), eight of them: not in instructions of their own, since few come this way.
  template <class F>
  [[gnu::always_inline]] static RWKV_HD void one_by_one(bf16* to, const F& f) {
#ifdef __CUDA_ARCH__
#pragma unroll 1
#endif
    for (int e = 0; e < 8; ++e) to[e] = f(e);
  }
  /// f(row, channel) for the thread's share of `Count` rows, eight channels to each call.
  template <int Count, class F>
  [[gnu::always_inline]] static RWKV_HD void each_eight(auto& here, const F& f) {
#ifdef __CUDA_ARCH__
#pragma unroll 1
#endif
    for (int i = here.thread(); i < Count * across; i += threads) f(i / across, i % across * 8);
  }
};

}  // namespace rwkv::detail::grid
