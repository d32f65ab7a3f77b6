// Linked to every program: what cannot be printed, because the disk is full or standard output closed, ends it with a
// message and status 2.
#include "checked_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace example {
namespace {

[[noreturn]] void end(const char* why) {
  std::fprintf(stderr, "%s: cannot write the output (%s)\n", RWKV_PROGRAM, why);
  ::_exit(2);
}

struct CheckedOutput {
  CheckedOutput() {
    // Whoever closed a standard stream shall not find in it the next file that is opened: /dev/null takes its number,
    // opened so that writing to an output fails as it did.
    for (int stream = 0; stream <= 2; ++stream)
      if (::fcntl(stream, F_GETFD) < 0) (void)::open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY);
  }
  ~CheckedOutput() {
    if (std::fflush(stdout) != 0) end(std::strerror(errno));
    if (std::ferror(stdout) != 0) end("a part of it was lost");
  }
};
const CheckedOutput checked_output;

}  // namespace

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    end(std::strerror(errno));
}

}  // namespace example
