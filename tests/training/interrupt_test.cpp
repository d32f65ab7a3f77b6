#include <doctest/doctest.h>

#include <sys/wait.h>

#include <barrier>
#include <csignal>
#include <thread>

#include "small_run.hpp"

using namespace rwkv;
using test::plan;
using test::Run;

namespace {
using Handler = void (*)(int);
void own(int) {}
Handler handler_of(int signal) {
  struct sigaction now {};
  sigaction(signal, nullptr, &now);
  return now.sa_handler;
}
/// Handles a signal so while it lives.
struct Handling {
  int signal;
  Handler before;
  Handling(int s, Handler handler) : signal(s), before(std::signal(s, handler)) {}
  ~Handling() { std::signal(signal, before); }
};
}  // namespace

TEST_CASE("Ctrl-C, termination and a lost terminal finish the step, save, and say which it was") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const test::Folder folder;
    const Handler before = handler_of(signal);
    const auto source = test::watched([&](dim_t step) {
      if (step == 5) std::raise(signal);
    });
    const auto end = Run{.source = source}(plan(folder / "run", 100));
    CHECK(end.interrupted);
    CHECK(end.signal == signal);
    CHECK(end.last.step == 6);
    CHECK(detail::checkpoint_steps(SafetensorsFile(folder / "run/resume.safetensors")) == 6);
    CHECK((handler_of(signal) == before));
  }
}

TEST_CASE("a signal that is ignored stays ignored, and a handler that was there comes back") {
  const test::Folder folder;
  const Handling hangup(SIGHUP, SIG_IGN), terminate(SIGTERM, own);
  const auto source = test::watched([](dim_t) { std::raise(SIGHUP); });
  const auto end = Run{.source = source}(plan(folder / "run", 3));
  CHECK_FALSE(end.interrupted);
  CHECK(end.last.step == 3);
  CHECK((handler_of(SIGHUP) == SIG_IGN));
  CHECK((handler_of(SIGTERM) == own));
}

TEST_CASE("two runs at once are interrupted by one signal, and the handlers come back with the last") {
  const test::Folder folder;
  const Handling terminate(SIGTERM, own);
  std::barrier both(2);
  Outcome ends[2];
  {
    std::jthread threads[2];
    for (int i = 0; i < 2; ++i)
      threads[i] = std::jthread([&, i] {
        const auto source = test::watched([&both, i](dim_t step) {
          if (step != 2) return;
          both.arrive_and_wait();
          if (i == 0) std::raise(SIGTERM);
          both.arrive_and_wait();
        });
        ends[i] = Run{.source = source}(plan(folder / std::to_string(i), 50));
      });
  }
  for (const Outcome& end : ends) {
    CHECK(end.interrupted);
    CHECK(end.signal == SIGTERM);
    CHECK(end.last.step == 3);
  }
  CHECK((handler_of(SIGTERM) == own));
}

TEST_CASE("an interrupt within another neither forgets the signal nor takes the handlers away") {
  const Handler before = handler_of(SIGINT);
  const Interrupt outer;
  {
    const Interrupt inner;
    std::raise(SIGTERM);
    CHECK(inner.raised() == SIGTERM);
  }
  CHECK(outer.raised() == SIGTERM);
  CHECK((handler_of(SIGINT) != before));
  const Interrupt late;
  CHECK(late.raised() == SIGTERM);
}

TEST_CASE("the second signal of a kind ends the process") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const Handling terminate(SIGTERM, SIG_DFL);
    const Interrupt interrupt;
    std::raise(SIGTERM);
    std::raise(SIGTERM);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
}

TEST_CASE("who reads the output may go while a run is on") {
  std::signal(SIGPIPE, SIG_DFL);
  {
    const Interrupt interrupt;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    ::close(ends[0]);
    CHECK(::write(ends[1], "x", 1) == -1);  // and no signal that ends the process
    ::close(ends[1]);
    CHECK(interrupt.raised() == 0);
  }
  struct sigaction after {};
  sigaction(SIGPIPE, nullptr, &after);
  CHECK((after.sa_handler == SIG_DFL));
}
