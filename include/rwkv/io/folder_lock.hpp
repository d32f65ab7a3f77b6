#pragma once
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <rwkv/core/error.hpp>

namespace rwkv {

/// A folder that is held by one at a time: it is made where it is missing, and the file "lock" in it is locked. The
/// system lets go of it however the process ends. File systems without locks hold nobody off.
class FolderLock {
 public:
  /// `holder` is what works there, for messages: "run". Error if the folder cannot be made or written to, or is held.
  [[gnu::cold]] explicit FolderLock(std::string folder, const std::string& holder = "run")
      : folder_(std::move(folder)) {
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    if (!failed && !std::filesystem::is_directory(folder_, failed)) failed = {ENOTDIR, std::generic_category()};
    if (failed) throw Error(folder_, ": cannot create this folder (", failed.message(), "); choose another one");
    const std::string lock = folder_ + "/lock";
    fd_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);  // no wait on pipes
    if (fd_ < 0) throw Error(folder_, ": cannot write there (lock: ", std::strerror(errno), "); choose another folder");
    struct stat status {};
    const bool regular = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
    const bool held = regular && ::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (regular && !held) return;
    ::close(std::exchange(fd_, -1));
    if (!regular) throw Error(lock, ": is not a regular file; remove it, or choose another folder");
    throw Error(folder_, ": another ", holder, " is running in this folder; wait for it, or choose another folder");
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() { ::close(fd_); }

  const std::string& path() const { return folder_; }

 private:
  std::string folder_;
  int fd_ = -1;
};

}  // namespace rwkv
