#pragma once
#include <rwkv/ops/wkv6/blocks.hpp>

namespace rwkv::wkv6 {

/// Token after token, columns side by side; in place, where a row of the state is a row of the chunk.
template <class T, dim_t Size>
struct ForwardChunk : Chunk<T, Size> {
  using Base = Chunk<T, Size>;
  using Base::W, Base::width, Base::tokens, Base::held;
  using typename Base::L;
  static constexpr dim_t size = Base::size + Base::operand + Size * width;
  static constexpr int across = width % (4 * W) == 0 ? 4 : 2;

  T *y, *z;  // (tokens, width); (Size, width): the state

  explicit ForwardChunk(T* p) : Base(p), y(p + Base::size), z(y + Base::operand) {
    if (width > Size) std::fill_n(z, Size * width, T(0));
  }

  [[gnu::noinline]] void sweep(T* state, dim_t n) const {
    for (dim_t c = 0; c < width; c += across * W)
      for (dim_t t = 0; t < n; ++t) token(state + c, t * width + c, t);
  }

 private:
  void token(T* state, dim_t place, dim_t t) const {
    const T *r = this->r + t * width, *w = this->w + t * width, *k = this->k + t * width;
    L value[across], y_t[across];
#pragma GCC unroll 4
    for (int s = 0; s < across; ++s) {
      value[s] = load(this->v, Lanes<W>{place + s * W});
      y_t[s] = this->pairs[t * tokens + t] * value[s];
    }
    for (dim_t i = 0; i < Size; ++i) {
      const L r_i = held(r[i]), w_i = held(w[i]), k_i = held(k[i]);
#pragma GCC unroll 4
      for (int s = 0; s < across; ++s) {
        const Lanes<W> at{i * width + s * W};
        const L z_i = load(state, at);
        y_t[s] += r_i * z_i;
        store(state, at, w_i * z_i + k_i * value[s]);
      }
    }
#pragma GCC unroll 4
    for (int s = 0; s < across; ++s) store(y, Lanes<W>{place + s * W}, y_t[s]);
  }
};

/// Index: a head and a block of time. From its first token to its last, on lanes.
template <class B, dim_t H, dim_t Size, class In>
struct LanesForward {
  using T = typename Accum<B>::scalar;
  using Here = ForwardChunk<T, Size>;
  In in;
  Tensor<B, Batch, Time, H * Size> y;
  State<B, H, Size> state;
  Starts<B, H, Size> starts;
  bool chunked;
  Blocks blocks;
  Between<T, Size> before;

  void operator()(dim_t index) const {
    const dim_t head = index / blocks.count, block = index % blocks.count, end = blocks.end(block, in.seq());
    static thread_local rwkv::detail::ThreadBuffer<T> memory;
    const Here chunk(memory.at_least(Here::size));
    T *const last = state.data + head * Size * Size, *const first = blocks.count > 1 ? before.of(index) : last;
    T* const z = chunk.width > Size ? chunk.z : first;
    if (z != first) chunk.copy(first, Size, z, chunk.width);
    Units<T> units;
    for (dim_t t = blocks.begin(block); t < end; t += chunk.tokens, units.before = units.after) {
      const dim_t n = std::min(chunk.tokens, end - t), next = std::min(chunk.tokens, end - t - n);
      const auto want = [&](const auto& x, dim_t from, dim_t count) {
        chunk.ahead.template want<Size>(x.data + in.at(head, from), H * Size, count);
      };
      chunk.ahead.forget();
      want(y, t, n), want(in.r, t + n, next), want(in.k, t + n, next), want(in.v, t + n, next);
      if constexpr (!In::still) want(in.w, t + n, next);
      if (starts.data && t % span == 0) keep(z, T(1) / units.before, starts.data + in.start(head, t / span));
      units.after = chunked && t + n < end ? unit_after(t) : T(1);
      chunk.read(in, head, t, n, units);
      if (chunked) {
        chunk.complete(n);
        chunk.template pair_up<true>(chunk.r, chunk.k, chunk.pairs, n);
        chunk.recall(z, chunk.y);
      }
      chunked ? chunk.advance(chunk.writes, chunk.v, z) : chunk.sweep(z, n);
      for (dim_t s = 0; s < n; ++s)
        Row<T, Size>::each([&](auto c) { store(y.data, c + in.at(head, t + s), load(chunk.y, c + s * chunk.width)); });
    }
    if (block + 1 == blocks.count && z != last) chunk.copy(z, chunk.width, last, Size);
  }

 private:
  /// From 1 to 2, another one for every chunk: in units that stay the same, the same token again and again would be
  /// rounded the same way every time, and errors add up.
  static T unit_after(dim_t t) { return T(1) + T(t / Here::tokens % 65536 * 40503 % 65536) / 65536; }
  static void keep(const T* z, T scale, T* to) {
    for (dim_t i = 0; i < Size; ++i)
      Row<T, Size>::each([&](auto c) { store(to, c + i * Size, load(z, c + i * Here::width) * scale); });
  }
};

}  // namespace rwkv::wkv6
