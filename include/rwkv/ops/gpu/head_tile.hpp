#pragma once
#include <cstdint>

#include <rwkv/core/accum.hpp>
#include <rwkv/core/error.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/core/view.hpp>
#include <rwkv/ops/gpu/moving_tile.hpp>

// The state of a head, keys by values, over the registers of a block. Columns (values) need each other's numbers never,
// rows (keys) only where a sum over them goes back into the state: so the one kernel takes whole columns, the other
// some rows. Shared memory gives a warp one number of each thread in a cycle, a quarter of what all four of a
// multiprocessor multiply: so a thread has a piece of 4 columns, and what it reads is multiplied several times.
namespace rwkv::heads {

/// Machines and sizes of heads for the kernels in blocks of threads: powers of two that fit shared memory. The portable
/// kernels take the others.
template <class B, dim_t Size>
concept InBlocks = Grid<B> && Size >= 4 && (Size & (Size - 1)) == 0 && Size * sizeof(typename Accum<B>::scalar) <= 512;

/// States are read and written four numbers at a time.
template <class T>
void expect_fours(const char* op, const char* name, const T* data) {
  if (reinterpret_cast<std::uintptr_t>(data) % alignof(rwkv::detail::grid::Four<T>) != 0)
    throw Error(op, ": expected ", name, " at a multiple of 16 bytes, as machines allocate it, found it in between");
}

}  // namespace rwkv::heads

namespace rwkv::detail::grid {

/// Each of x as the sum over `lanes` neighbouring threads, for all of them.
template <int lanes, Block Here, class X, std::size_t count>
[[gnu::always_inline]] inline RWKV_HD void sum_lanes(Here& here, X (&x)[count]) {
  if constexpr (lanes > 1) {
    unrolled<int(count)>([&](int k) { x[k] += here.from_lane(x[k], lanes / 2); });
    sum_lanes<lanes / 2>(here, x);
  }
}
/// The same for `n` sums, a power of two, shared out: a thread ends up with max(1, n / lanes) of them at the front of
/// x, from the returned one on, or with none, -1. Half of what would take part is given away at every step.
template <int lanes, int n, Block Here, class X, std::size_t count>
[[gnu::always_inline]] inline RWKV_HD int share_sums(Here& here, X (&x)[count]) {
  if constexpr (lanes == 1) {
    return 0;
  } else {
    constexpr int bit = lanes / 2, left = n > 1 ? n / 2 : 1;
    const bool upper = (here.thread() & bit) != 0;
    if constexpr (n > 1) {
      unrolled<left>([&](int k) {
        const X mine = upper ? x[left + k] : x[k], other = upper ? x[k] : x[left + k];
        x[k] = mine + here.from_lane(other, bit);
      });
    } else {
      x[0] += here.from_lane(x[0], bit);
    }
    const int first = share_sums<bit, left>(here, x);
    if constexpr (n > 1)
      return first < 0 ? first : first + (upper ? left : 0);
    else
      return upper ? -1 : first;
  }
}
/// How many of them a thread has.
template <int lanes, int n>
inline constexpr int shared_out = n > lanes ? n / lanes : 1;

/// Columns of a head's state over a block: all rows of four columns to `lanes` neighbours. A thread's rows come in
/// fours, neighbours having neighbouring ones, so that a warp reads a token's row from shared memory without conflict.
template <class Number, dim_t Size>
struct ColumnTile {
  static constexpr int lanes = Size < 32 ? static_cast<int>(Size / 4) : 8;
  static constexpr int fours = static_cast<int>(Size / 4) / lanes;
  static constexpr int used = lanes * static_cast<int>(Size / 4), threads = used < warp ? warp : used;
  Number at[fours][4][4];
  int lane;
  dim_t column;
  bool inside;

  explicit RWKV_HD ColumnTile(int thread) : lane(thread % lanes), column(thread / lanes * 4), inside(column < Size) {
    if (!inside) column = 0;  // reads along, writes nothing
  }
  RWKV_HD dim_t row(int f) const { return 4 * (f * lanes + lane); }
  /// f(i, k) for the thread's rows: the k-th of the four that begin at row(i).
  template <class F>
  [[gnu::always_inline]] static RWKV_HD void each_row(const F& f) {
    unrolled<fours>([&](int i) { unrolled<4>([&](int k) { f(i, k); }); });
  }
  RWKV_HD void read(const Number* state) {
    each_row([&](int i, int k) {
      const auto z = Four<Number>::read(state + (row(i) + k) * Size + column);
      unrolled<4>([&](int c) { at[i][k][c] = z.at[c]; });
    });
  }
  RWKV_HD void write(Number* state) const {
    if (!inside) return;
    each_row([&](int i, int k) {
      Four<Number> z;
      unrolled<4>([&](int c) { z.at[c] = at[i][k][c]; });
      z.write(state + (row(i) + k) * Size + column);
    });
  }
  /// Sums over the rows, one for each of the four columns, to signal x of a token.
  template <Block Here, class T>
  RWKV_HD void write_sums(Here& here, Number (&sums)[4], T* x) const {
    const int first = share_sums<lanes, 4>(here, sums);
    if (first < 0 || !inside) return;
    unrolled<shared_out<lanes, 4>>([&](int k) { store(x, column + first + k, sums[k]); });
  }
};

/// Which numbers of tokens' rows a thread brings into shared memory, k from 0 on: neighbours bring neighbours.
template <int wide, int threads>
struct Brought {
  static RWKV_HD int channel(int thread, int k) {
    return wide < threads ? thread % wide : thread + k % (wide / threads + (wide < threads)) * threads;
  }
  static RWKV_HD int token(int thread, int k) {
    return wide < threads ? thread / wide + k * (threads / wide) : k / (wide / threads + (wide < threads));
  }
};

/// Rows of `Signals` signals of a head, some tokens at a time: while some are computed with, the next are under way.
/// The first signal is a decay, which is given by its logarithm.
template <class Number, dim_t Size, int Threads, int Signals>
struct TokenRows {
  static constexpr int count = 4;  // of each signal, to a thread
  static constexpr int tokens = count * Threads / static_cast<int>(Size);
  static_assert(span % tokens == 0);
  using Mine = Brought<static_cast<int>(Size), Threads>;
  struct alignas(16) Memory {
    Number of[2][Signals][tokens][Size];  // in turn: nobody overwrites what another has yet to read
  };
  struct Values {
    Number at[Signals];
  };
  int thread;
  Values fetched[count]{};

  /// read(token, channel) gives the values of n tokens from the first on.
  template <class Read>
  [[gnu::always_inline]] RWKV_HD void fetch(dim_t first, dim_t n, const Read& read) {
    unrolled<count>([&](int k) {
      if (const int token = Mine::token(thread, k); token < n)
        fetched[k] = read(first + token, Mine::channel(thread, k));
    });
  }
  [[gnu::always_inline]] RWKV_HD void put(Memory& memory, int side) const {
    unrolled<count>([&](int k) {
      const int token = Mine::token(thread, k), c = Mine::channel(thread, k);
      unrolled<Signals>(
          [&](int s) { memory.of[side][s][token][c] = s == 0 ? math::exp(fetched[k].at[s]) : fetched[k].at[s]; });
    });
  }
  /// token(rows, t) for all tokens in order, or from the last: rows(signal, channel) are four numbers of it. Before,
  /// for the first t of some, begin(t), among them the first of every span.
  template <bool Back, Block Here, class Read, class Begin, class Token>
  [[gnu::always_inline]] RWKV_HD void each(Here& here, dim_t time, const Read& read, const Begin& begin,
                                           const Token& token) {
    auto& memory = here.template shared<Memory>();
    const dim_t chunks = (time + tokens - 1) / tokens;
    const auto start = [&](dim_t i) { return (Back ? chunks - 1 - i : i) * tokens; };
    const auto some = [&](dim_t first) { return static_cast<int>(math::min<dim_t>(tokens, time - first)); };
    fetch(start(0), some(start(0)), read);
    for (dim_t i = 0; i < chunks; ++i) {
      const dim_t first = start(i);
      const int side = static_cast<int>(i % 2), n = some(first);
      put(memory, side);
      here.sync();
      if (i + 1 < chunks) fetch(start(i + 1), some(start(i + 1)), read);
      begin(first);
#ifdef __CUDA_ARCH__
#pragma unroll 2  // one reads shared memory while the other waits for its neighbours
#endif
      for (int j = 0; j < n; ++j) {
        const int s = Back ? n - 1 - j : j;
        token([&](int signal, dim_t c) { return Four<Number>::read(&memory.of[side][signal][s][c]); }, first + s);
      }
    }
  }
};

}  // namespace rwkv::detail::grid
