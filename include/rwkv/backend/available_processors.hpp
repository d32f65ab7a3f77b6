#pragma once
#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <thread>

#include <rwkv/backend/control_groups.hpp>

namespace rwkv {

/// How many processors this process may use at a time: those of the machine, but no more than its affinity and the
/// quotas of its control groups (rounded up) allow. Threads beyond them only wait for each other.
[[gnu::cold, gnu::noinline]] inline int available_processors(const detail::System& system = {}) {
  long long n = std::max(1u, std::thread::hardware_concurrency());
#ifdef __linux__
  if (cpu_set_t set; sched_getaffinity(0, sizeof set, &set) == 0) n = std::min<long long>(n, CPU_COUNT(&set));
  const auto limit = [&](long long quota, long long period) {  // microseconds of processor time in so many
    if (quota > 0 && period > 0) n = std::min(n, (quota - 1) / period + 1);
  };
  for (const std::string& group : detail::control_groups("cpu", system)) {
    limit(detail::number_in(group + "/cpu.cfs_quota_us"), detail::number_in(group + "/cpu.cfs_period_us"));
    for (const std::string& line : detail::lines_of(group + "/cpu.max")) {  // "200000 100000" or "max 100000"
      char* period = nullptr;
      const long long quota = std::strtoll(line.c_str(), &period, 10);
      limit(quota, std::strtoll(period, nullptr, 10));
    }
  }
#endif
  return static_cast<int>(std::max(1LL, n));
}

}  // namespace rwkv
