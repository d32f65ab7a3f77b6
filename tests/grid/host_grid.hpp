#pragma once
#include <cstring>
#include <map>
#include <typeindex>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/backend/fragments.hpp>
#include "fibers.hpp"

namespace test {
using namespace rwkv;
namespace blocks {

/// What the threads of a block have in common.
template <int Threads>
struct Common {
  struct Warp {
    Fibers::Meeting meeting{warp};
    alignas(16) std::byte lanes[2][warp][64];  // in turn: nobody overwrites what another has yet to read
  };
  dim_t index = 0;
  Fibers fibers{Threads};
  Fibers::Meeting all{Threads};
  std::vector<Warp> warps{Threads / warp};
  std::map<std::type_index, std::vector<std::max_align_t>> shared;

  void clear(dim_t block) {
    index = block, all = {Threads};
    for (Warp& warp : warps) warp.meeting = {rwkv::warp};
    for (auto& [type, memory] : shared) std::memset(memory.data(), 0xff, memory.size() * sizeof memory[0]);  // NaN
  }
};

/// A block on the processor.
template <int Threads>
class HostBlock {
 public:
  static constexpr int threads = Threads;
  HostBlock(Common<Threads>& common, int thread) : common_(common), thread_(thread) {}
  dim_t index() const { return common_.index; }
  int thread() const { return thread_; }
  void sync() { common_.fibers.wait(common_.all); }
  template <class Shared>
  Shared& shared() {
    auto& memory = common_.shared[typeid(Shared)];
    if (memory.empty()) {
      memory.resize(sizeof(Shared) / sizeof memory[0] + 1);
      std::memset(memory.data(), 0xff, memory.size() * sizeof memory[0]);
    }
    return *reinterpret_cast<Shared*>(memory.data());
  }
  template <class X>
  X from_lane(X x, int bit) {
    static_assert(sizeof(X) % 4 == 0);
    return tell(x)(thread_ % warp ^ bit);
  }

  /// Products of two bf16 are exact in float; their sum is rounded one after the other, which tensor cores do not say.
  void multiply(const LeftFragment& a, const RightFragment& b, SumFragment& sums) {
    struct Operands {
      LeftFragment a;
      RightFragment b;
    };
    const auto of = tell(Operands{a, b});
    const auto half = [](std::uint32_t pair, int k) {
      return rwkv::detail::from_upper_half<float>(std::uint16_t(pair >> k % 2 * 16));
    };
    const int g = thread_ % warp / 4, i = thread_ % 4;
    float rows[2][16], columns[2][16];  // g and g + 8 of a, 2i and 2i + 1 of b
    for (int k = 0; k < 16; ++k) {
      const int lane = k % 8 / 2;
      for (int r = 0; r < 2; ++r) {
        rows[r][k] = half(of(g * 4 + lane).a.at[r + k / 8 * 2], k);
        columns[r][k] = half(of((2 * i + r) * 4 + lane).b.at[k / 8], k);
      }
    }
    for (int n = 0; n < 4; ++n)
      for (int k = 0; k < 16; ++k) sums.at[n] += rows[n / 2][k] * columns[n % 2][k];
  }
  template <bool Transposed>
  Pairs<4> matrices(const bf16* row) {
    if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) throw Error("matrices: expected a row on 16 bytes");
    const auto rows = tell(row);
    const int g = thread_ % warp / 4, i = thread_ % 4;
    Pairs<4> pairs;
    for (int m = 0; m < 4; ++m) {
      const auto bits = [&](int k) {
        return std::uint32_t(Transposed ? rows(8 * m + k)[g].bits : rows(8 * m + g)[k].bits);
      };
      pairs.at[m] = bits(2 * i) | bits(2 * i + 1) << 16;
    }
    return pairs;
  }
  /// As late as a GPU may make them.
  void start_copy(bf16* to, const bf16* from, bool there) {
    if ((reinterpret_cast<std::uintptr_t>(to) | reinterpret_cast<std::uintptr_t>(from)) % 16 != 0)
      throw Error("start_copy: expected operands on 16 bytes");
    copies_.push_back({to, there ? from : nullptr});
  }
  void finish_copies() {
    for (const Copy& copy : copies_)
      if (copy.from)
        std::memcpy(static_cast<void*>(copy.to), copy.from, 16);
      else
        std::memset(static_cast<void*>(copy.to), 0, 16);
    copies_.clear();
  }

 private:
  struct Copy {
    bf16* to;
    const bf16* from;  // null: zeros
  };
  /// What every lane of the warp told, when all have.
  template <class X>
  auto tell(const X& x) {
    static_assert(sizeof(X) <= 64);
    auto& [meeting, lanes] = common_.warps[static_cast<std::size_t>(thread_ / warp)];
    auto& told = lanes[side_ = !side_];
    std::memcpy(told[thread_ % warp], &x, sizeof x);
    common_.fibers.wait(meeting);
    return [&told](int lane) {
      X x;
      std::memcpy(&x, told[lane], sizeof x);
      return x;
    };
  }

  Common<Threads>& common_;
  int thread_;
  bool side_ = false;
  std::vector<Copy> copies_;
};

}  // namespace blocks

/// The processor as a machine that launches kernels in blocks: the same functors as on a GPU, thread by thread, slow
/// and repeatable. Shared memory begins as NaN; a thread that others wait for in vain is an Error.
template <class T>
struct HostGrid : private Cpu<T> {
  using Cpu<T>::allocate, Cpu<T>::deallocate, Cpu<T>::fill, Cpu<T>::copy, Cpu<T>::upload, Cpu<T>::download;
  using Cpu<T>::for_each, Cpu<T>::for_each_row, Cpu<T>::for_each_step, Cpu<T>::matmul, Cpu<T>::batched_matmul;
  using scalar = T;

  static bool has_tensor_cores() { return true; }
  template <class Kernel>
  static void launch(dim_t blocks, const Kernel& kernel) {
    using Common = blocks::Common<Kernel::threads>;
    static thread_local std::unique_ptr<Common> kept;  // stacks take time to make
    auto common = kept ? std::move(kept) : std::make_unique<Common>();
    for (dim_t i = 0; i < blocks; ++i) {
      common->clear(i);
      common->fibers.run([&](int thread) {
        blocks::HostBlock<Kernel::threads> here(*common, thread);
        kernel(here);
      });
    }
    kept = std::move(common);  // unless threads were left waiting
  }
};

}  // namespace test
