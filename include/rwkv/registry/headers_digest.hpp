#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include <rwkv/core/sha256.hpp>

namespace rwkv {

/// What the library's headers in folder/rwkv are, in 64 digits: the SHA-256 of a line for each, with the SHA-256 of its
/// content, a space and its path from the folder on, in the order of these paths. cmake/headers_digest.cmake computes
/// the same. Empty where there are none, or one cannot be read.
[[gnu::cold]] inline std::string headers_digest(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder + "/rwkv", failed), end; !failed && at != end; at.increment(failed))
    if (at->path().extension() == ".hpp") paths.push_back(at->path().string().substr(folder.size() + 1));
  if (failed || paths.empty()) return {};
  std::ranges::sort(paths);
  std::string lines;
  for (const std::string& path : paths) {
    std::ifstream file(fs::path(folder) / path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad()) return {};
    lines += sha256(content) + " " + path + "\n";
  }
  return sha256(lines);
}

}  // namespace rwkv
