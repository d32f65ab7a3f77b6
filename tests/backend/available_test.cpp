#include <doctest/doctest.h>

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <thread>

#include <rwkv/backend/cpu.hpp>

#include "in_child.hpp"
#include "system_files.hpp"

using namespace rwkv;
using test::SystemFiles;

namespace {
/// Without quotas.
int processors() {
  return available_processors({"/no/such/proc", "/no/such/groups"});
}
constexpr std::size_t unknown = std::numeric_limits<long long>::max();
}  // namespace

TEST_CASE("processors are counted by what may run: a quota of version 2, rounded up") {
  const SystemFiles files;
  files.write("proc/self/cgroup", "0::/jobs/mine\n");
  CHECK(available_processors(files.system()) == processors());
  files.write("groups/jobs/mine/cpu.max", "max 100000\n");
  CHECK(available_processors(files.system()) == processors());
  files.write("groups/jobs/mine/cpu.max", "100000 100000\n");
  CHECK(available_processors(files.system()) == 1);
  files.write("groups/jobs/mine/cpu.max", "150000 100000\n");
  CHECK(available_processors(files.system()) == std::min(2, processors()));
  files.write("groups/jobs/mine/cpu.max", "1000 100000\n");
  CHECK(available_processors(files.system()) == 1);
}

TEST_CASE("a quota of an outer group counts, and one at the root of what a container sees") {
  for (const char* outer : {"groups/jobs/cpu.max", "groups/cpu.max"}) {
    const SystemFiles files;
    files.write("proc/self/cgroup", "0::/jobs/mine/not/visible/here\n");
    files.write(outer, "50000 100000\n");
    CHECK(available_processors(files.system()) == 1);
  }
}

TEST_CASE("a quota of version 1") {
  const SystemFiles files;
  files.write("proc/self/cgroup", "9:name=systemd:/\n4:cpu,cpuacct:/jobs\n0::/\n");
  files.write("groups/cpu/jobs/cpu.cfs_period_us", "100000\n");
  files.write("groups/cpu/jobs/cpu.cfs_quota_us", "-1\n");
  CHECK(available_processors(files.system()) == processors());
  files.write("groups/cpu/jobs/cpu.cfs_quota_us", "90000\n");
  CHECK(available_processors(files.system()) == 1);
}

TEST_CASE("files that make no sense limit nothing") {
  const SystemFiles files;
  files.write("proc/self/cgroup", "nonsense\n::\n0::\n0::/a/\n");
  files.write("groups/a/cpu.max", "");
  files.write("groups/cpu.max", "0 0\n");
  files.write("proc/meminfo", "MemAvailable: much\n");
  CHECK(available_processors(files.system()) == processors());
  CHECK(available_memory(files.system()) == unknown);
}

TEST_CASE("processors are those of the affinity") {
  CHECK(test::in_child([] {
          cpu_set_t set;
          if (sched_getaffinity(0, sizeof set, &set) != 0) return 2;
          int first = 0;
          while (!CPU_ISSET(first, &set)) ++first;
          CPU_ZERO(&set);
          CPU_SET(first, &set);
          if (sched_setaffinity(0, sizeof set, &set) != 0) return 3;
          return available_processors() == 1 ? 0 : 1;
        }) == 0);
}

TEST_CASE("memory is what the machine has available, swap included, and what groups leave of it") {
  const SystemFiles files;
  files.write("proc/meminfo", "MemTotal:       9000 kB\nMemFree: 1 kB\nMemAvailable:   4000 kB\nSwapFree:  96 kB\n");
  CHECK(available_memory(files.system()) == 4096 * 1024);
  files.write("proc/self/cgroup", "0::/mine\n");
  files.write("groups/mine/memory.max", "max\n");
  files.write("groups/mine/memory.current", "1000000\n");
  CHECK(available_memory(files.system()) == 4096 * 1024);
  files.write("groups/mine/memory.max", "3000000\n");
  CHECK(available_memory(files.system()) == 2000000);
  files.write("groups/mine/memory.stat", "anon 1\nactive_file 200\ninactive_file 3000\n");
  CHECK(available_memory(files.system()) == 2003200);
  files.write("groups/memory.max", "500\n");
  files.write("groups/memory.current", "900\n");
  CHECK(available_memory(files.system()) == 0);
}

TEST_CASE("memory of groups of version 1") {
  const SystemFiles files;
  files.write("proc/self/cgroup", "4:memory:/mine\n");
  files.write("groups/memory/mine/memory.limit_in_bytes", "3000000\n");
  files.write("groups/memory/mine/memory.usage_in_bytes", "1000000\n");
  files.write("groups/memory/mine/memory.stat", "inactive_file 9\ntotal_inactive_file 70\ntotal_active_file 7\n");
  CHECK(available_memory(files.system()) == 2000077);
}

TEST_CASE("this machine has memory, and not more than any other") {
  const std::size_t bytes = available_memory();
  CHECK(bytes > std::size_t{16} << 20);
  CHECK(bytes < std::size_t{1} << 50);
}

TEST_CASE_TEMPLATE("more memory than there is: how much was asked for, how much is free, the way out", T, float, double,
                   bf16) {
  for (const int bits : {46, 55, 60, 62}) {
    const dim_t n = dim_t{1} << bits;
    const auto bytes = static_cast<std::size_t>(detail::product(n, sizeof(T)));
    try {
      Cpu<T>::deallocate(Cpu<T>::allocate(n));
      FAIL("expected OutOfMemory");
    } catch (const OutOfMemory& error) {
      CHECK(error.bytes == bytes);
      CHECK(error.free < bytes);
      CHECK(std::string(error.what()) == "Cpu::allocate: expected " + std::to_string(bytes) +
                                             " free bytes of memory, found " + std::to_string(error.free) +
                                             "; use a smaller batch, Recompute, or a smaller model");
    }
  }
}

TEST_CASE("sizes that memory cannot have are not taken for small ones") {
  CHECK_THROWS_AS(Cpu<float>::allocate((dim_t{1} << 62) + 16), OutOfMemory);  // 64 bytes, if it wrapped
  CHECK_THROWS_AS(Cpu<double>::allocate(std::numeric_limits<dim_t>::max()), OutOfMemory);
}
