#pragma once
#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <rwkv/core/error.hpp>

namespace test {
using namespace rwkv;

/// Which thread of a block goes first, up to the next meeting. Where the two orders differ, a sync is missing.
enum class Turns { ascending, descending };
inline thread_local Turns turns = Turns::ascending;

namespace blocks {

/// A place to go on from, on a stack of its own.
#ifdef __x86_64__
class Place {
 public:
  /// Where f, which never returns, begins.
  void begin(void (*f)(), std::byte* stack, std::size_t size) {
    auto* top = reinterpret_cast<void**>((reinterpret_cast<std::uintptr_t>(stack) + size) & ~std::uintptr_t(15));
    *--top = nullptr;  // as if f had been called
    *--top = reinterpret_cast<void*>(f);
    at_ = top - 6;
  }
  /// Leaves from here, which becomes *this, and goes on at the other.
  void leave_for(Place& other) { jump(&at_, other.at_); }

 private:
  /// swapcontext would save the signal mask as well, by a system call.
  [[gnu::naked, gnu::noinline]] static void jump(void**, void*) {
    asm("push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15; mov %rsp, (%rdi); mov %rsi, %rsp;"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp; ret");
  }
  void* at_ = nullptr;
};
#else
class Place {
 public:
  void begin(void (*f)(), std::byte* stack, std::size_t size) {
    getcontext(&at_);
    at_.uc_stack.ss_sp = stack, at_.uc_stack.ss_size = size, at_.uc_link = nullptr;
    makecontext(&at_, f, 0);
  }
  void leave_for(Place& other) { swapcontext(&at_, &other.at_); }

 private:
  ucontext_t at_;
};
#endif

/// The threads of one block as fibers of the calling thread, each running until it waits for others.
class Fibers {
 public:
  explicit Fibers(int n) : fibers_(static_cast<std::size_t>(n)) {
    for (Fiber& fiber : fibers_) {
      fiber.thread = static_cast<int>(&fiber - fibers_.data());
      fiber.stack = std::make_unique<std::byte[]>(stack_size);
      fiber.place.begin(&live, fiber.stack.get(), stack_size);
    }
  }
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;

  /// f(thread) in every thread. Error where some wait for others that have returned.
  void run(const std::function<void(int)>& f) {
    const std::size_t n = fibers_.size();
    f_ = &f;
    for (Fiber& fiber : fibers_) fiber.done = false;
    for (std::size_t left = n; left > 0;) {
      progress_ = 0;
      for (std::size_t k = 0; k < n; ++k) {
        now_ = &fibers_[turns == Turns::ascending ? k : n - 1 - k];
        if (now_->done) continue;
        running_ = this;
        home_.leave_for(now_->place);
        if (now_->done) --left, ++progress_;
      }
      if (progress_ == 0)
        throw Error("launch: threads of a block wait for others that have returned or wait elsewhere");
    }
  }

  struct Meeting {
    int of, here = 0;
    long times = 0;
  };
  void wait(Meeting& meeting) {
    const long before = meeting.times;
    ++progress_;
    if (++meeting.here == meeting.of)
      meeting.here = 0, ++meeting.times;
    else
      while (meeting.times == before) now_->place.leave_for(home_);
  }

 private:
  static constexpr std::size_t stack_size = 1 << 16;
  struct Fiber {
    int thread;
    bool done;
    std::unique_ptr<std::byte[]> stack;
    Place place;
  };
  static void live() {
    Fibers& all = *running_;
    for (Fiber& fiber = *all.now_;;) {
      (*all.f_)(fiber.thread);
      fiber.done = true;
      fiber.place.leave_for(all.home_);
    }
  }

  static inline thread_local Fibers* running_ = nullptr;
  std::vector<Fiber> fibers_;
  Place home_;
  const std::function<void(int)>* f_ = nullptr;
  Fiber* now_ = nullptr;
  long progress_ = 0;  // of the last round
};

}  // namespace blocks
}  // namespace test
