#pragma once
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include <rwkv/backend/available_processors.hpp>

namespace rwkv {
namespace detail {
/// The machine, and which of its processors this process may use.
[[gnu::cold]] inline std::string place_of_process() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  std::string place = host;
#ifdef __linux__
  if (cpu_set_t set; sched_getaffinity(0, sizeof set, &set) == 0)
    for (int processor = 0; processor < CPU_SETSIZE; ++processor)
      if (CPU_ISSET(processor, &set)) place += " " + std::to_string(processor);
#endif
  return place;
}
}  // namespace detail

/// How many threads are one rank's part of the processors that it may use: all, where mpirun gave it some of its own,
/// else they are dealt out among the ranks that may use the same. Every rank calls it.
template <class C>
int threads_per_rank(C& ranks) {
  const std::string place = detail::place_of_process();
  const std::vector<std::string> all = ranks.gather_texts(place);
  return std::max(1, available_processors() / static_cast<int>(std::count(all.begin(), all.end(), place)));
}

}  // namespace rwkv
