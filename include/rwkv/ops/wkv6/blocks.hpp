#pragma once
#include <rwkv/backend/thread_buffer.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/wkv6/chunk.hpp>

// Blocks of time side by side, for threads that heads leave idle. A block turns the state Z before it into f Z + Q: f
// are its decays together, Q what it makes of an empty state. The way back is the same from its end. All f and Q are
// found first, the states between blocks follow one from the other, and then every block is gone through from its own.
// Finding Q takes 1 of forward's 2.5 products and sums, and 1 of backward's 5.7, see wkv6.hpp.
namespace rwkv::wkv6 {

/// How time is cut, by shapes alone, since results must not depend on the threads.
struct Blocks {
  dim_t length, count = 1;  // tokens in a block

  Blocks(OverTime how, Seq seq, dim_t heads) : length(seq.time) {
    constexpr dim_t shortest = 4, most = 32;  // spans of a block; blocks
    const bool pays = heads == 1 && seq.time >= 1024;
    if (how != OverTime::scan && !(how == OverTime::automatic && pays)) return;
    length = std::max(shortest, (seq.spans() + most - 1) / most) * span;
    count = (seq.time + length - 1) / length;
  }
  dim_t begin(dim_t block) const { return block * length; }
  dim_t end(dim_t block, Seq seq) const { return std::min(begin(block) + length, seq.time); }
};

/// The states, or their gradients, that blocks start from: (heads, count, Size + 1, Size), the last row being f.
template <class T, dim_t Size>
struct Between {
  T* data = nullptr;
  T* of(dim_t n) const { return data + n * (Size + 1) * Size; }
  T* fade(dim_t n) const { return of(n) + Size * Size; }
};

/// Index: a head and a block other than the last that is met. Finds f and Q; The way back needs dy.
template <bool back, class B, dim_t H, dim_t Size, class In>
struct BlockAlone {
  using T = typename Accum<B>::scalar;
  using Here = Chunk<T, Size>;
  static constexpr dim_t width = Here::width;
  In in;
  Tensor<B, Batch, Time, H * Size> dy;
  Blocks blocks;
  Between<T, Size> between;

  void operator()(dim_t n) const {
    static thread_local rwkv::detail::ThreadBuffer<T> memory;
    T* const z = memory.at_least(Here::size + Size * width);
    const Here chunk(z + Size * width);
    const dim_t head = n / (blocks.count - 1), block = n % (blocks.count - 1) + back;
    const dim_t begin = blocks.begin(block), end = blocks.end(block, in.seq()), slot = head * blocks.count + block;
    T* const fade = between.fade(slot);
    std::fill_n(z, Size * width, T(0)), std::fill_n(fade, Size, T(1));
    for (dim_t t = begin; t < end; t += Here::tokens) {
      const dim_t at = back ? begin + (end - 1 - t) / Here::tokens * Here::tokens : t;
      read(chunk, head, at, std::min(Here::tokens, end - at));
      Row<T, Size>::each([&](auto c) { store(fade, c, load(fade, c) * load(chunk.fade, c)); });
      chunk.advance(back ? chunk.reads : chunk.writes, chunk.v, z);
    }
    chunk.copy(z, width, between.of(slot), Size);
  }

 private:
  void read(const Here& chunk, dim_t head, dim_t t, dim_t n) const {
    chunk.template read<back, !back>(in, head, t, n);
    if constexpr (!back) return;  // its blocks are whole
    for (dim_t s = 0; s < n; ++s)
      Row<T, Size>::each([&](auto c) { store(chunk.v, c + s * width, load(dy.data, c + in.at(head, t + s))); });
    std::fill_n(chunk.reads + n * width, (Here::tokens - n) * width, T(0));
    std::fill_n(chunk.v + n * width, (Here::tokens - n) * width, T(0));
  }
};

/// Index: a row of a head's state. From what blocks are alone to what they start from.
template <bool back, class T, dim_t Size>
struct BlocksInTurn {
  dim_t count;
  const T* first;  // of all: the state of every head
  Between<T, Size> between;

  void operator()(dim_t n) const {
    const dim_t head = n / Size, i = n % Size;
    Row<T, Size>::each([&](auto c) {
      auto x = load(first, c + n * Size);
      for (dim_t k = 0; k < count; ++k) {
        const dim_t slot = head * count + (back ? count - 1 - k : k);
        const auto at = c + i * Size;
        const auto own = load(between.of(slot), at);
        store(between.of(slot), at, x);
        if (k + 1 < count) x = between.fade(slot)[i] * x + own;
      }
    });
  }
};

/// What blocks start from, where there is more than one.
template <bool back, class B, dim_t H, dim_t Size, class In>
Between<typename Accum<B>::scalar, Size> between_blocks(Scratch<B>& scratch, const Blocks& blocks, const In& in,
                                                        Tensor<B, Batch, Time, H * Size> dy, State<B, H, Size> state) {
  using T = typename Accum<B>::scalar;
  if (blocks.count == 1) return {};
  const Between<T, Size> between{scratch.accum(in.heads() * blocks.count * (Size + 1) * Size)};
  B::for_each_row(in.heads() * (blocks.count - 1), BlockAlone<back, B, H, Size, In>{in, dy, blocks, between});
  B::for_each_row(in.heads() * Size, BlocksInTurn<back, T, Size>{blocks.count, state.data, between});
  return between;
}

}  // namespace rwkv::wkv6
