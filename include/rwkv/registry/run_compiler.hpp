#pragma once
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <rwkv/io/private_folder.hpp>

namespace rwkv::detail {

/// Runs a program, not through a shell, in that folder, with nothing to read; what it says goes to the file `log`.
/// Empty where it ended well, otherwise how it ended.
[[gnu::cold]] inline std::string run_in(const PrivateFolder& folder, const std::string& program,
                                        const std::vector<std::string>& arguments, const Descriptor& log) {
  std::vector<char*> words{const_cast<char*>(program.c_str())};
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addfchdir_np(&actions, folder.number());
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  for (const int output : {1, 2}) posix_spawn_file_actions_adddup2(&actions, log.number(), output);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, program.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return std::string("cannot be started (") + std::strerror(failed) + ")";
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return std::string("cannot be waited for (") + std::strerror(errno) + ")";
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? "" : "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace rwkv::detail
