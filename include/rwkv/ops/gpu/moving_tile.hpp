#pragma once
#include <rwkv/backend/grid.hpp>

// Tiles of rows in the shared memory of a block, as the kernels of attention multiply them.
namespace rwkv::detail::grid {

/// f(i) for i from 0 on, n of them, in instructions of their own: an array that i picks from stays in registers.
template <int n, class F>
[[gnu::always_inline]] inline RWKV_HD void unrolled(const F& f) {
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
  for (int i = 0; i < n; ++i) f(i);
}

/// Four neighbours, read and written at once.
template <class T>
struct alignas(16) Four {
  T at[4];
  static RWKV_HD Four read(const T* p) { return *reinterpret_cast<const Four*>(p); }
  RWKV_HD void write(T* p) const { *reinterpret_cast<Four*>(p) = *this; }
};

/// Tiles of `Rows` rows of D channels that move through the shared memory of a block.
template <class T, dim_t D, int Rows, int Threads = 128>
struct MovingTile {
  static constexpr int threads = Threads;
  static constexpr int padded = static_cast<int>((D + 7) / 8 * 8);
  static constexpr int stride = padded + 4;  // 8 rows begin in 8 different fours of banks

  int thread;
  explicit RWKV_HD MovingTile(int mine) : thread(mine) {}

  /// scale times `count` rows into shared memory; row(r) says where one lies, null for zeros.
  template <class Row>
  RWKV_HD void load(int count, T* to, const Row& row, T scale = T(1)) const {
    for (int i = thread; i < count * padded; i += threads) {
      const int r = i / padded, c = i % padded;
      const T* const from = row(r);
      to[r * stride + c] = from && c < D ? from[c] * scale : T(0);
    }
  }
  /// The same for a tile that moves, in two steps: what has been fetched is under way while others are multiplied.
  struct Fetched {
    static constexpr int count = (Rows * padded + threads - 1) / threads;
    T at[count];
  };
  template <class Row>
  [[gnu::always_inline]] RWKV_HD void fetch(Fetched& to, const Row& row) const {
    if constexpr (in_steps && requires { row.apart; }) {
      const int c = thread % padded;
      const T* from = row.from + thread / padded * row.apart + c;
      dim_t left = row.count - thread / padded;
      unrolled<Fetched::count>([&](int k) {  // from one to the next: the compiler would keep every address
        to.at[k] = left > 0 && (padded == D || c < D) ? *from : T(0);
        from += row.apart * (threads / padded), left -= threads / padded;
      });
    } else {
      each([&](int k, int r, int c) {
        const T* const from = row(r);
        to.at[k] = from && (padded == D || c < D) ? from[c] : T(0);
      });
    }
  }
  /// Of keys or values, see KeyRows, those from `first` to before `end`.
  [[gnu::always_inline]] RWKV_HD void fetch(Fetched& to, const auto& keys, dim_t first, dim_t end) const {
    keys.rows(first, end, [&](const auto& row) { fetch(to, row); });
  }
  [[gnu::always_inline]] RWKV_HD void put(const Fetched& from, T* to, T scale = T(1)) const {
    each([&](int k, int r, int c) { to[r * stride + c] = from.at[k] * scale; });
  }

 private:
  static constexpr bool in_steps = threads % padded == 0 && Rows * padded % threads == 0;

  /// f(k, row, channel) for the thread's numbers of a tile, k from 0 on.
  template <class F>
  [[gnu::always_inline]] RWKV_HD void each(const F& f) const {
    unrolled<Fetched::count>([&](int k) {
      if constexpr (in_steps) {
        f(k, thread / padded + k * (threads / padded), thread % padded);
      } else {
        const int i = thread + k * threads;
        if (i < Rows * padded) f(k, i / padded, i % padded);
      }
    });
  }
};

}  // namespace rwkv::detail::grid
