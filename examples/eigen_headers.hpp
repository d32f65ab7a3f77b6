#pragma once
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/io/mapped_file.hpp>

namespace example {

/// A text that every machine with this library has: the C++ headers of the installed Eigen, in the order of their
/// names.
inline std::string eigen_headers() {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(RWKV_EIGEN_DIR) / "Eigen";
  std::vector<fs::path> files;
  std::error_code missing;
  for (const auto& entry : fs::recursive_directory_iterator(folder, missing))
    if (entry.is_regular_file()) files.push_back(entry.path());
  if (files.empty())
    throw rwkv::Error(folder.string() + ": expected Eigen's headers, found none; give a text with --text");
  std::sort(files.begin(), files.end());
  std::string text;
  for (const auto& file : files) text += rwkv::MappedFile(file.string()).text();
  return text;
}

}  // namespace example
