#pragma once
#include <cstdlib>
#include <string>

#include <rwkv/core/error.hpp>

namespace rwkv {

/// Where the user's programs keep what they can make again: rwkv in XDG_CACHE_HOME, or in .cache of his home. Error
/// where the environment names neither.
[[gnu::cold]] inline std::string cache_folder() {
  const auto from_root = [](const char* value) { return value != nullptr && *value == '/'; };
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); from_root(cache)) return std::string(cache) + "/rwkv";
  if (const char* home = std::getenv("HOME"); from_root(home)) return std::string(home) + "/.cache/rwkv";
  throw Error("expected a folder for caches in XDG_CACHE_HOME, or a home in HOME, found neither; set one of them");
}

}  // namespace rwkv
