#pragma once
#include <cstring>
#include <map>
#include <typeindex>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/backend/grid.hpp>
#include <rwkv/testing/fibers.hpp>

namespace rwkv::testing {
namespace detail {

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
    static_assert(sizeof(X) % 4 == 0 && sizeof(X) <= 64);
    auto& [meeting, lanes] = common_.warps[static_cast<std::size_t>(thread_ / warp)];
    auto& mine = lanes[side_ = !side_];
    std::memcpy(mine[thread_ % warp], &x, sizeof x);
    common_.fibers.wait(meeting);
    std::memcpy(&x, mine[thread_ % warp ^ bit], sizeof x);
    return x;
  }

 private:
  Common<Threads>& common_;
  int thread_;
  bool side_ = false;
};

}  // namespace detail

/// The processor as a machine that launches kernels in blocks: the same functors as on a GPU, thread by thread, slow
/// and repeatable. Shared memory begins as NaN; a thread that others wait for in vain is an Error.
template <class T>
struct HostGrid : private Cpu<T> {
  using Cpu<T>::allocate, Cpu<T>::deallocate, Cpu<T>::fill, Cpu<T>::copy, Cpu<T>::upload, Cpu<T>::download;
  using Cpu<T>::for_each, Cpu<T>::for_each_row, Cpu<T>::walk, Cpu<T>::matmul;
  using scalar = T;

  template <class Kernel>
  static void launch(dim_t blocks, const Kernel& kernel) {
    using Common = detail::Common<Kernel::threads>;
    static thread_local std::unique_ptr<Common> kept;  // stacks take time to make
    auto common = kept ? std::move(kept) : std::make_unique<Common>();
    for (dim_t i = 0; i < blocks; ++i) {
      common->clear(i);
      common->fibers.run([&](int thread) {
        detail::HostBlock<Kernel::threads> here(*common, thread);
        kernel(here);
      });
    }
    kept = std::move(common);  // unless threads were left waiting
  }
};

}  // namespace rwkv::testing
