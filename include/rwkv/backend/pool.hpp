#pragma once
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include <rwkv/backend/available_processors.hpp>
#include <rwkv/core/config.hpp>
#include <rwkv/core/error.hpp>

namespace rwkv {

/// Threads that wait for work. run(n, f) calls f(0) ... f(n - 1). Every thread starts with a contiguous share, the same
/// each time, so that it finds its data in its own cache; when it is done, it takes tasks from the others' shares, so
/// that a thread which the system has suspended delays nobody. Task i must depend on i alone: then results do not
/// depend on the number of threads. Where the system refuses to start a thread, there are fewer.
class Pool {
 public:
  explicit Pool(int threads) {
    static const int once = pthread_atfork(nullptr, nullptr, [] { ++forks; });
    static_cast<void>(once);
    try {
      for (int id = 1; id < threads; ++id) helpers_.emplace_back([this, id] { help(id); });
    } catch (const std::exception&) {  // as many as there are, then
    }
    threads_ = static_cast<int>(helpers_.size()) + 1;
    shares_ = std::vector<Share>(helpers_.size() + 1);
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    if (forked()) {  // these threads are not of this process: nobody can wait for them
      for (auto& helper : helpers_) ::new (&helper) std::thread;
      return;
    }
    stop_ = true;
    call_ += 1;
    call_.notify_all();
    for (auto& helper : helpers_) helper.join();
  }

  int threads() const { return threads_; }
  /// Whether it was made before a fork, of which this process is the child: its threads stayed with the parent, and
  /// `run` does all by itself.
  bool forked() const { return born_ != forks.load(std::memory_order_relaxed); }

  /// What a task throws reaches the caller when all threads have left the call; tasks that had not begun are dropped.
  template <class F>
  void run(dim_t n, const F& f) {
    run(n, Job{&f, [](const void* kernel, dim_t i) { (*static_cast<const F*>(kernel))(i); }});
  }

 private:
  struct Job {
    const void* kernel;
    void (*call)(const void*, dim_t);
    dim_t grain = 1;  // tasks taken at a time
  };
  struct alignas(64) Share {
    std::atomic<dim_t> next = 0;
    dim_t end = 0;
  };

  // Not a template and not inlined: one copy for all kernels.
  [[gnu::noinline]] void run(dim_t n, Job job) {
    std::unique_lock alone(busy_, std::defer_lock);  // nested and concurrent calls run their tasks themselves
    if (n < 2 || threads_ == 1 || inside() || forked() || !alone.try_lock()) {
      for (dim_t i = 0; i < n; ++i) job.call(job.kernel, i);
      return;
    }
    job.grain = std::max<dim_t>(1, n / (threads_ * 8));
    job_ = job;
    for (dim_t id = 0; id < threads_; ++id) {
      Share& share = shares_[static_cast<std::size_t>(id)];
      share.next.store(n * id / threads_, std::memory_order_relaxed);
      share.end = n * (id + 1) / threads_;
    }
    open_.store(true);
    call_.fetch_add(1, std::memory_order_release);
    call_.notify_all();
    work(0);
    open_.store(false);  // no helper joins after this; those that did are waited for
    for (int spin = 0; active_.load() != 0; ++spin) spin < spins ? pause() : std::this_thread::yield();
    if (failed_.load(std::memory_order_relaxed)) rethrow();
  }
  void work(int id) {
    const Job job = job_;
    inside() = true;
    try {
      for (int k = 0; k < threads_; ++k) {
        Share& share = shares_[static_cast<std::size_t>((id + k) % threads_)];
        while (share.next.load(std::memory_order_relaxed) < share.end) {
          const dim_t first = share.next.fetch_add(job.grain, std::memory_order_relaxed);
          for (dim_t i = first, end = std::min(first + job.grain, share.end); i < end; ++i) job.call(job.kernel, i);
        }
      }
    } catch (...) {
      if (!failed_.exchange(true)) error_ = std::current_exception();
      for (Share& share : shares_) share.next.store(share.end, std::memory_order_relaxed);
    }
    inside() = false;
  }
  [[noreturn, gnu::cold, gnu::noinline]] void rethrow() {
    failed_.store(false);
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
  void help(int id) {
    for (unsigned seen = 0;;) {
      for (int spin = 0; spin < spins && call_.load(std::memory_order_relaxed) == seen; ++spin) pause();
      call_.wait(seen, std::memory_order_acquire);
      seen = call_.load(std::memory_order_acquire);
      if (stop_) return;
      active_.fetch_add(1);  // before open_ is read, as run writes open_ before it reads active_
      if (open_.load()) work(id);
      active_.fetch_sub(1);
    }
  }
  static bool& inside() {
    thread_local bool yes = false;
    return yes;
  }
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  static constexpr int spins = 20000;  // a fraction of a millisecond: waking a sleeping thread costs far more
  static inline std::atomic<unsigned> forks = 0;  // between the first process that had a pool and this one
  const unsigned born_ = forks;
  int threads_ = 1;
  Job job_{};
  std::vector<Share> shares_;
  alignas(64) std::atomic<unsigned> call_ = 0;
  alignas(64) std::atomic<int> active_ = 0;
  alignas(64) std::atomic<bool> open_ = false;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> failed_ = false;
  std::exception_ptr error_;  // of the first task that failed
  std::mutex busy_;
  std::vector<std::thread> helpers_;
};

namespace detail {
/// Owns the pool of the process.
struct SharedPool {
  std::atomic<Pool*> now = new Pool(available_processors());
  ~SharedPool() { delete now.load(); }
};
inline std::atomic<Pool*>& shared_pool() {
  static SharedPool pool;
  return pool.now;
}
/// In a forked child: a pool like the parent's, with threads of its own.
[[gnu::cold, gnu::noinline]] inline Pool& renew(Pool* old) {
  auto* const fresh = new Pool(old->threads());
  if (shared_pool().compare_exchange_strong(old, fresh)) return *fresh;  // the old one stays: others may look at it
  delete fresh;
  return *old;
}
}  // namespace detail

/// The pool of the process: as many threads as there are available processors, unless set_threads chose a number.
inline Pool& pool() {
  Pool* const shared = detail::shared_pool().load(std::memory_order_acquire);
  return shared->forked() ? detail::renew(shared) : *shared;
}

namespace detail {
/// f(0) ... f(tasks - 1), on the threads if that is worth waking them.
template <class F>
void parallel_if(bool worth, dim_t tasks, const F& f) {
  if (worth) return pool().run(tasks, f);
  for (dim_t task = 0; task < tasks; ++task) f(task);
}
}  // namespace detail

/// Sets the number of threads that the process computes with; 0: as many as there are available processors. Where the
/// system refuses some, pool().threads() tells. Not while it computes. Error for a number below 0.
inline void set_threads(int n) {
  if (n < 0) throw Error("set_threads: expected a number of at least 0, found ", n, "; 0 takes all processors");
  delete detail::shared_pool().exchange(new Pool(n > 0 ? n : available_processors()));
}

}  // namespace rwkv
