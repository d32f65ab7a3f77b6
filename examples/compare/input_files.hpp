#pragma once
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <rwkv/core/error.hpp>

namespace compare {

inline constexpr const char* where_dumps_are =
    "a dump is https://dumps.wikimedia.org/enwiki/latest/enwiki-latest-pages-articles.xml.bz2, and "
    "`pip install wikiextractor; wikiextractor --json -o FOLDER DUMP` takes the text out of it";

/// Files, and all files below folders, in the order of their names: the same on every machine.
inline std::vector<std::string> input_files(const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code failed;
    if (!fs::exists(path, failed))
      throw rwkv::Error(path, ": expected a file or a folder, found nothing by that name; ", where_dumps_are);
    if (!fs::is_directory(path, failed)) {
      files.push_back(path);
      continue;
    }
    const std::size_t first = files.size();
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file()) files.push_back(entry.path().string());
    std::sort(files.begin() + std::ptrdiff_t(first), files.end());
  }
  if (files.empty()) throw rwkv::Error("expected texts, found none in the folders; ", where_dumps_are);
  return files;
}

}  // namespace compare
