#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "expect.hpp"

namespace fuzz {

/// A file in memory, for readers that want one by its name.
class MemoryFile {
 public:
  MemoryFile() { expect(file_ >= 0, "a file in memory"); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(file_); }

  const std::string& path() const { return path_; }
  /// From now on it holds these bytes.
  void hold(std::string_view bytes) {
    expect(::ftruncate(file_, 0) == 0, "an empty file");
    expect(::pwrite(file_, bytes.data(), bytes.size(), 0) == ssize_t(bytes.size()), "a written file");
  }

 private:
  int file_ = ::memfd_create("fuzz", MFD_CLOEXEC);
  std::string path_ = "/proc/self/fd/" + std::to_string(file_);
};

}  // namespace fuzz
