#pragma once
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// Threads that wait for work. run(n, f) calls f(0) ... f(n - 1). Every thread starts with a contiguous share, the same
/// each time, so that it finds its data in its own cache; when it is done, it takes tasks from the others' shares, so
/// that a thread which the system has suspended delays nobody. Task i must depend on i alone: then results do not
/// depend on the number of threads.
class Pool {
 public:
  explicit Pool(int threads) : threads_(std::max(1, threads)), shares_(static_cast<std::size_t>(threads_)) {
    for (int id = 1; id < threads_; ++id) helpers_.emplace_back([this, id] { help(id); });
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    stop_ = true;
    call_ += 1;
    call_.notify_all();
    for (auto& helper : helpers_) helper.join();
  }

  int threads() const { return threads_; }

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
    if (n < 2 || threads_ == 1 || inside() || !alone.try_lock()) {
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
  }
  void work(int id) {
    const Job job = job_;
    inside() = true;
    for (int k = 0; k < threads_; ++k) {
      Share& share = shares_[static_cast<std::size_t>((id + k) % threads_)];
      while (share.next.load(std::memory_order_relaxed) < share.end) {
        const dim_t first = share.next.fetch_add(job.grain, std::memory_order_relaxed);
        for (dim_t i = first, end = std::min(first + job.grain, share.end); i < end; ++i) job.call(job.kernel, i);
      }
    }
    inside() = false;
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
  const int threads_;
  Job job_{};
  std::vector<Share> shares_;
  alignas(64) std::atomic<unsigned> call_ = 0;
  alignas(64) std::atomic<int> active_ = 0;
  alignas(64) std::atomic<bool> open_ = false;
  std::atomic<bool> stop_ = false;
  std::mutex busy_;
  std::vector<std::thread> helpers_;
};

namespace detail {
inline std::unique_ptr<Pool>& shared_pool() {
  static auto pool = std::make_unique<Pool>(static_cast<int>(std::thread::hardware_concurrency()));
  return pool;
}
}  // namespace detail

/// The pool of the process: as many threads as the machine has, unless set_threads chose a number.
inline Pool& pool() {
  return *detail::shared_pool();
}

/// Sets the number of threads that the process computes with; 0: as many as the machine has. Not while it computes.
inline void set_threads(int n) {
  detail::shared_pool() = std::make_unique<Pool>(n > 0 ? n : static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace rwkv
