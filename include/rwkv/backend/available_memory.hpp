#pragma once
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <limits>

#include <rwkv/backend/control_groups.hpp>
#include <rwkv/core/error.hpp>

namespace rwkv {

/// Bytes that this process can still get: what the machine has available, swap included, but no more than its control
/// groups and the limit of its addresses (ulimit -v) leave. Linux gives more to who asks, and kills who then uses it.
/// The largest number where nothing is known.
[[gnu::cold, gnu::noinline]] inline std::size_t available_memory(const detail::System& system = {}) {
  using detail::number_in;
  auto least = std::numeric_limits<long long>::max();
  const auto limit = [&](long long bytes) { least = std::min(least, std::max(0LL, bytes)); };
  const std::string meminfo = system.proc + "/meminfo";
  if (const long long kilobytes = number_in(meminfo, "MemAvailable:"); kilobytes >= 0)
    limit(1024 * (kilobytes + std::max(0LL, number_in(meminfo, "SwapFree:"))));
  for (const std::string& group : detail::control_groups("memory", system)) {
    const auto within = [&](const char* most, const char* used, const std::string& prefix) {
      const long long all = number_in(group + most), taken = number_in(group + used);
      if (all < 0 || taken < 0) return;
      const auto cached = [&](const char* list) {  // parts of files, which give way
        return std::max(0LL, number_in(group + "/memory.stat", prefix + list));
      };
      limit(all - taken + std::min(taken, cached("inactive_file ") + cached("active_file ")));
    };
    within("/memory.max", "/memory.current", "");
    within("/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_");
  }
  if (rlimit addresses{}; getrlimit(RLIMIT_AS, &addresses) == 0 && addresses.rlim_cur != RLIM_INFINITY)
    if (const long long pages = number_in(system.proc + "/self/statm"); pages >= 0)
      limit(static_cast<long long>(addresses.rlim_cur) - pages * sysconf(_SC_PAGESIZE));
  return static_cast<std::size_t>(least);
}

namespace detail {

/// Less than this is not worth a look at what is available.
inline constexpr std::size_t large_block = std::size_t{256} << 20;

/// The refusal of one who asked for so many bytes of the processor's memory.
[[gnu::cold, gnu::noinline]] inline OutOfMemory no_memory(const char* who, std::size_t bytes) {
  const std::size_t free = available_memory();
  const Word found = free < bytes ? Word(free) : Word("fewer");  // as a limit of the process that is not looked at
  return OutOfMemory(bytes, std::min(bytes, free), who, ": expected ", bytes, " free bytes of memory, found ",
                     found.view(), out_of_memory_advice);
}
/// OutOfMemory where a large block would take more than there is.
inline void expect_memory(const char* who, std::size_t bytes) {
  if (bytes > large_block && bytes > available_memory()) throw no_memory(who, bytes);
}

}  // namespace detail
}  // namespace rwkv
