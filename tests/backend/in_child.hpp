#pragma once
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace test {

/// What a forked child makes of f(), which returns its exit status: at the end it leaves as programs do, by exit. A
/// child that does not come to an end within a minute is killed and counts as 99.
template <class F>
int in_child(const F& f) {
  std::fflush(stdout);  // or the child writes it again
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    int status = 98;
    try {
      status = f();
    } catch (...) {
    }
    std::exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

}  // namespace test
