#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include <rwkv/core/error.hpp>

namespace rwkv {

/// A regular file that is open for reading. Its bytes are copied when they are asked for, so that a file which is cut
/// short or rewritten meanwhile is an Error.
class OpenFile {
 public:
  /// Error if path names no file, a directory or another thing that has no bytes of its own, or may not be read.
  [[gnu::cold]] explicit OpenFile(std::string path) : path_(std::move(path)) {
    number_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // no wait on pipes
    if (number_ < 0 && errno == ENOENT) refuse("nothing by that name", "check the name and the working directory");
    const bool named = errno != ENAMETOOLONG && errno != ENOTDIR && errno != ELOOP;
    if (number_ < 0)
      refuse("one that cannot be opened: " + std::string(std::strerror(errno)),
             named ? "check its permissions" : "check the name");
    try {
      if (fstat(number_, &opened_) != 0) refuse("no status: " + std::string(std::strerror(errno)), "try a local copy");
      if (S_ISDIR(opened_.st_mode)) refuse("a directory", "name a file inside it");
      if (!S_ISREG(opened_.st_mode)) refuse("a pipe or a device", "write what it gives to a file first");
    } catch (...) {
      close(number_);
      throw;
    }
  }
  OpenFile(OpenFile&& other) noexcept
      : path_(std::move(other.path_)), number_(std::exchange(other.number_, -1)), opened_(other.opened_) {}
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile() {
    if (number_ >= 0) close(number_);
  }

  const std::string& path() const { return path_; }
  int number() const { return number_; }  ///< the descriptor
  std::size_t size() const { return static_cast<std::size_t>(opened_.st_size); }

  /// The bytes from `first` on. Error if the file does not hold them, or has changed since it was opened.
  void read(std::size_t first, std::span<std::byte> out) const {
    while (!out.empty()) {
      const ssize_t n = pread(number_, out.data(), out.size(), static_cast<off_t>(first));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0)
        throw Error(path_, ": cannot read ", out.size(), " bytes from byte ", first, " on (", std::strerror(errno),
                    "); check the disk, or try a local copy");
      if (n == 0) break;
      first += static_cast<std::size_t>(n), out = out.subspan(static_cast<std::size_t>(n));
    }
    struct stat now {};
    const bool known = fstat(number_, &now) == 0;
    if (!out.empty() || !known || now.st_size != opened_.st_size || now.st_mtim.tv_sec != opened_.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != opened_.st_mtim.tv_nsec)
      throw Error(path_, ": expected ", size(), " bytes that stay as they were when the file was opened, found ",
                  now.st_size, " bytes, changed since; put the old ones back, and leave a file that is in use alone");
  }

 private:
  [[noreturn]] void refuse(const std::string& found, const char* way_out) const {
    throw Error(path_, ": expected a file to read, found ", found, "; ", way_out);
  }

  std::string path_;
  int number_ = -1;
  struct stat opened_ {};
};

}  // namespace rwkv
