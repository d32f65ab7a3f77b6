#pragma once
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

/// A file with a given content, gone at the end of the scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content)
      : path_((std::filesystem::temp_directory_path() / "rwkv-XXXXXX").string()) {
    const int file = mkstemp(path_.data());
    if (file < 0) std::abort();
    std::FILE* out = fdopen(file, "wb");
    std::fwrite(content.data(), 1, content.size(), out);
    std::fclose(out);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::remove(path_.c_str()); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};
