#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/config.hpp>

// What Linux says of the machine and of the part that this process may have of it: files of words and numbers.
namespace rwkv::detail {

/// Where those files are; tests have their own.
struct System {
  std::string proc = "/proc", groups = "/sys/fs/cgroup";
};

/// The lines of a file; none where there is no such file.
[[gnu::cold, gnu::noinline]] inline std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::FILE* const file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return lines;
  std::string line;
  for (int c; (c = std::getc(file)) != EOF;) {
    if (c != '\n') {
      line += static_cast<char>(c);
      continue;
    }
    lines.push_back(std::move(line));
    line.clear();
  }
  if (!line.empty()) lines.push_back(std::move(line));
  std::fclose(file);
  return lines;
}
/// The number behind `word` in a file; -1 where there is none, as in "max".
[[gnu::cold, gnu::noinline]] inline long long number_in(const std::string& path, std::string_view word = "") {
  for (const std::string& line : lines_of(path)) {
    if (!line.starts_with(word)) continue;
    const char* const text = line.c_str() + word.size();
    char* end = nullptr;
    const long long n = std::strtoll(text, &end, 10);
    return end == text ? -1 : n;
  }
  return -1;
}

/// The folders of the control groups that this process is in, each within the next: all of version 2, and those of
/// version 1 that have this controller. In a container the innermost may be the root of what is seen.
[[gnu::cold, gnu::noinline]] inline std::vector<std::string> control_groups(const std::string& controller,
                                                                            const System& system) {
  std::vector<std::string> folders;
  for (const std::string& line : lines_of(system.proc + "/self/cgroup")) {  // "0::/a/b" or "4:cpu,cpuacct:/a/b"
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controllers != ",," && controllers.find("," + controller + ",") == line.npos) continue;
    std::string path = line.substr(second + 1);
    const std::string root = system.groups + (controllers == ",," ? "" : "/" + controller);
    while (path.ends_with("/")) path.pop_back();
    for (; !path.empty(); path.erase(path.rfind('/'))) folders.push_back(root + path);
    folders.push_back(root);
  }
  return folders;
}

}  // namespace rwkv::detail
