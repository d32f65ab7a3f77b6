#pragma once
#include <atomic>
#include <csignal>
#include <mutex>

#include <rwkv/core/config.hpp>

namespace rwkv {
namespace detail {
/// A signal, what is done with it, and what the process did before.
struct HandledSignal {
  int signal;
  bool ignored = false, replaced = false;
  struct sigaction before {};
};
}  // namespace detail

/// While one exists, SIGINT (Ctrl-C), SIGTERM and SIGHUP only raise a flag, so that a step or a save is finished first.
/// The second signal of a kind ends the process at once. A signal that the process ignores, as under nohup, stays
/// ignored. SIGPIPE is ignored meanwhile: who reads the output may go before what is done is saved. Several share the
/// flag and the handlers; those before them come back with the end of the last.
class Interrupt {
 public:
  Interrupt() {
    const std::lock_guard lock(mutex_);
    if (count_++ > 0) return;
    raised_ = 0;
    for (detail::HandledSignal& one : handled_) {
      sigaction(one.signal, nullptr, &one.before);
      const bool own = (one.before.sa_flags & SA_SIGINFO) != 0;
      one.replaced = one.ignored ? !own && one.before.sa_handler == SIG_DFL : own || one.before.sa_handler != SIG_IGN;
      if (!one.replaced) continue;
      struct sigaction action {};
      action.sa_handler = one.ignored ? SIG_IGN : [](int signal) { raised_ = signal; };
      action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
      sigaction(one.signal, &action, nullptr);
    }
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt() {
    const std::lock_guard lock(mutex_);
    if (--count_ > 0) return;
    for (const detail::HandledSignal& one : handled_)
      if (one.replaced) sigaction(one.signal, &one.before, nullptr);
  }
  /// The signal that came, 0 if none.
  int raised() const { return raised_; }

 private:
  static_assert(std::atomic<int>::is_always_lock_free);  // what a handler may touch
  inline static std::atomic<int> raised_{0};
  inline static std::mutex mutex_;
  inline static int count_ = 0;
  inline static detail::HandledSignal handled_[] = {{SIGINT}, {SIGTERM}, {SIGHUP}, {SIGPIPE, true}};
};

}  // namespace rwkv
