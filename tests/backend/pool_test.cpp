#include <doctest/doctest.h>

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <rwkv/backend/pool.hpp>

#include "in_child.hpp"

using namespace rwkv;
using test::in_child;

namespace {
/// Whether a call has n threads: each of n tasks waits for the others.
bool has_threads(Pool& pool, int n) {
  std::atomic<int> here = 0;
  std::atomic<bool> late = false;
  pool.run(n, [&](dim_t) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (++here; here < n && !late;) late = std::chrono::steady_clock::now() > end;
  });
  return !late;
}
/// Whether every task of a call is run once.
bool runs_all(Pool& pool) {
  std::vector<std::atomic<int>> count(1000);
  pool.run(1000, [&](dim_t i) { count[std::size_t(i)] += 1; });
  for (const auto& c : count)
    if (c != 1) return false;
  return true;
}
struct Thrown : std::runtime_error {
  using std::runtime_error::runtime_error;
};
}  // namespace

TEST_CASE("what a task throws reaches the caller, and the pool keeps all its threads") {
  Pool pool(3);
  for (const dim_t bad : {0, 1, 2, 499, 999})
    for (int again = 0; again < 20; ++again) {
      std::string said;
      try {
        pool.run(1000, [&](dim_t i) {
          if (i >= bad && i < bad + 3) throw Thrown("task");
        });
      } catch (const Thrown& error) {
        said = error.what();
      }
      CHECK(said == "task");
      CHECK(runs_all(pool));
    }
  CHECK(has_threads(pool, 3));
}

TEST_CASE("when all tasks throw, one is told, and so it is of nested calls and of one thread") {
  Pool pool(3), one(1);
  CHECK_THROWS_AS(pool.run(50, [&](dim_t) { throw Thrown("each"); }), Thrown);
  CHECK_THROWS_AS(pool.run(50, [&](dim_t) { pool.run(3, [&](dim_t) { throw Thrown("nested"); }); }), Thrown);
  CHECK_THROWS_AS(one.run(50, [&](dim_t) { throw Thrown("alone"); }), Thrown);
  CHECK(runs_all(one));
  CHECK(has_threads(pool, 3));
}

TEST_CASE("no thread works on a call that has thrown to its caller") {
  Pool pool(3);
  for (int again = 0; again < 50; ++again) {
    std::atomic<int> inside = 0;
    try {
      pool.run(300, [&](dim_t i) {
        ++inside;
        for (volatile int spin = 0; spin < 1000;) spin = spin + 1;
        --inside;
        if (i == 7) throw Thrown("seven");
      });
    } catch (const Thrown&) {
    }
    CHECK(inside == 0);
  }
}

TEST_CASE("a forked child computes with threads of its own, changes their number, and exits") {
  set_threads(3);
  CHECK(has_threads(pool(), 3));
  CHECK(in_child([] { return pool().threads() == 3 && has_threads(pool(), 3) && runs_all(pool()) ? 0 : 1; }) == 0);
  CHECK(in_child([] {
          set_threads(2);
          return pool().threads() == 2 && has_threads(pool(), 2) ? 0 : 1;
        }) == 0);
  CHECK(in_child([] { return 0; }) == 0);  // which never looks at the pool
  CHECK(in_child([] { return in_child([] { return has_threads(pool(), 3) ? 0 : 1; }); }) == 0);
  CHECK(has_threads(pool(), 3));  // the parent's are still there
  set_threads(0);
}

TEST_CASE("a pool from before a fork works alone in the child, and goes there without waiting") {
  Pool own(3);
  CHECK(in_child([&] { return own.forked() && runs_all(own) ? 0 : 1; }) == 0);
  auto* const to_delete = new Pool(3);
  CHECK(in_child([&] {
          delete to_delete;
          return 0;
        }) == 0);
  delete to_delete;
  CHECK_FALSE(own.forked());
  CHECK(has_threads(own, 3));
}

TEST_CASE("where the system refuses threads, a pool goes on with those that started") {
  for (const rlim_t allowed : {1, 2}) {  // of this user, each process being one
    const int status = in_child([&] {
      if (::geteuid() == 0 && ::setuid(61234) != 0) return 2;  // root may start any number
      const rlimit limit{allowed, allowed};
      if (::setrlimit(RLIMIT_NPROC, &limit) != 0) return 3;
      Pool few(8);
      set_threads(8);
      const bool fewer = few.threads() >= 1 && few.threads() < 8 && pool().threads() < 8;
      ::_exit(fewer && runs_all(few) && runs_all(pool()) && has_threads(few, few.threads()) ? 0 : 1);
      return 4;  // a sanitizer would start a thread of its own at the exit
    });
    CHECK(status == 0);
  }
}

TEST_CASE("a number of threads below 0 is refused") {
  CHECK_THROWS_WITH_AS(set_threads(-1),
                       "set_threads: expected a number of at least 0, found -1; 0 takes all processors", Error);
}
