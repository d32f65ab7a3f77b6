#pragma once
#include <string>

#include <rwkv/core/config.hpp>

namespace rwkv::detail {

/// What follows the last slash of a path; `otherwise` where nothing does.
inline std::string file_name_of(const std::string& path, const char* otherwise = "") {
  std::string name = path.substr(path.rfind('/') + 1);
  return name.empty() ? otherwise : name;
}
/// The path up to its last slash, that included; empty where it has none.
inline std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1);
}

}  // namespace rwkv::detail
