#pragma once
#include <rwkv/backend/thread_buffer.hpp>
#include <rwkv/ops/wkv7/chunk.hpp>

namespace rwkv::wkv7 {

/// Token after token, columns side by side; in place, where a row of the state is a row of the chunk.
template <class T, dim_t Size>
struct ForwardChunk : Chunk<T, Size> {
  using Base = Chunk<T, Size>;
  using Base::W, Base::width, Base::tokens, Base::held;
  using typename Base::L;
  static constexpr dim_t size = Base::size + Base::rows * width + Size * width;
  static constexpr int across = width % (4 * W) == 0 && W * sizeof(T) == 64 ? 4 : 2;  // of 32 registers, or 16

  T *y, *z;  // (rows, width): y_t in even rows; (Size, width): the state

  explicit ForwardChunk(T* p) : Base(p), y(p + Base::size), z(y + Base::rows * width) {
    if (width > Size) std::fill_n(z, Size * width, T(0));
  }

  [[gnu::noinline]] void sweep(T* state, dim_t n) const {
    for (dim_t c = 0; c < width; c += across * W) {
      L recalled[across]{};
      for (dim_t i = 0; i < Size; ++i)
#pragma GCC unroll 4
        for (int s = 0; s < across; ++s)
          recalled[s] += this->q[width + i] * load(state, Lanes<W>{i * width + c + s * W});
      for (dim_t t = 0; t + 1 < n; ++t) token<false>(state + c, c, t, recalled);
      token<true>(state + c, c, n - 1, recalled);
    }
  }

 private:
  /// Writes a token to the state and reads it, for itself and for what the next one recalls. The last fades the state.
  template <bool last>
  void token(T* state, dim_t c, dim_t t, L (&recalled)[across]) const {
    const T *k = this->k + 2 * t * width, *b = k + width, *r = this->q + 2 * t * width, *next = r + 3 * width;
    const T* const fade = this->fade + (t + 1) * width;
    L value[across], y_t[across]{}, recalls[across]{};
#pragma GCC unroll 4
    for (int s = 0; s < across; ++s) {
      value[s] = load(this->x, Lanes<W>{2 * t * width + c + s * W});
      store(this->x, Lanes<W>{(2 * t + 1) * width + c + s * W}, recalled[s]);
    }
    for (dim_t i = 0; i < Size; ++i) {
      const L b_i = held(b[i]), k_i = held(k[i]), r_i = held(r[i]), with = held(last ? fade[i] : next[i]);
#pragma GCC unroll 4
      for (int s = 0; s < across; ++s) {
        const Lanes<W> at{i * width + s * W};
        const L z_i = load(state, at) + b_i * recalled[s] + k_i * value[s];
        y_t[s] += r_i * z_i;
        if constexpr (!last) recalls[s] += with * z_i;
        store(state, at, last ? with * z_i : z_i);
      }
    }
#pragma GCC unroll 4
    for (int s = 0; s < across; ++s) store(y, Lanes<W>{2 * t * width + c + s * W}, y_t[s]), recalled[s] = recalls[s];
  }
};

/// Index: a head. From the first token to the last, on lanes.
template <class B, dim_t H, dim_t Size>
struct LanesForward {
  using T = typename Accum<B>::scalar;
  using Here = ForwardChunk<T, Size>;
  Signals<B, H, Size> in;
  Tensor<B, Batch, Time, H * Size> y;
  State<B, H, Size> state;
  Kept<B, H, Size> kept;
  bool chunked;

  void operator()(dim_t head) const {
    static thread_local rwkv::detail::ThreadBuffer<T> memory;
    const Here chunk(memory.at_least(Here::size));
    T *const own = state.data + head * Size * Size, *const z = chunk.width > Size ? chunk.z : own;
    if (z != own) chunk.copy(own, Size, z, chunk.width);
    for (dim_t t = 0; t < in.seq().time; t += chunk.tokens) {
      const dim_t n = std::min(chunk.tokens, in.seq().time - t), next = std::min(chunk.tokens, in.seq().time - t - n);
      const auto want = [&](const auto& x, dim_t from, dim_t count) {
        chunk.ahead.template want<Size>(x.data + in.at(head, from), H * Size, count);
      };
      chunk.ahead.forget();
      want(y, t, n);
      if (kept.recalled.data) want(kept.recalled, t, n);
      want(in.r, t + n, next), want(in.w, t + n, next), want(in.k, t + n, next);
      want(in.v, t + n, next), want(in.a, t + n, next), want(in.b, t + n, next);
      if (kept.starts.data && t % span == 0)
        chunk.copy(z, chunk.width, kept.starts.data + in.start(head, t / span), Size);
      chunk.read(in, nullptr, head, t, n);
      if (chunked) {
        chunk.complete(n);
        chunk.join(chunk.q, chunk.k, chunk.past);
        chunk.recall(z, chunk.y);
        chunk.advance(z);
      } else {
        chunk.sweep(z, n);
      }
      write(chunk, head, t, n);
    }
    if (z != own) chunk.copy(z, chunk.width, own, Size);
  }

 private:
  void write(const Here& chunk, dim_t head, dim_t t, dim_t n) const {
    for (dim_t s = 0; s < n; ++s) {
      const dim_t to = in.at(head, t + s), row = 2 * s * chunk.width;
      Row<T, Size>::each([&](auto c) {
        store(y.data, to + c, load(chunk.y, c + row));
        if (kept.recalled.data) store(kept.recalled.data, to + c, load(chunk.x, c + row + chunk.width));
      });
    }
  }
};

}  // namespace rwkv::wkv7
