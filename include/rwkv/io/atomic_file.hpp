#pragma once
#include <fcntl.h>
#include <sys/file.h>
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

/// A file that appears under its name whole or not at all. What is written goes to "<path>.partial" in the same folder;
/// `commit` puts it in place. Without a commit, or after an error, nothing remains of it and an old file stays as it
/// was. A process killed half-way leaves its partial file, which the next save of that path takes over. Errors name the
/// file, the step, the system's reason and the way out. A symbolic link at `path` is replaced, not followed.
class AtomicFile {
 public:
  [[gnu::cold]] explicit AtomicFile(std::string path) : path_(std::move(path)), partial_(path_ + ".partial") {
    struct stat old {};
    const bool replaces = ::stat(path_.c_str(), &old) == 0;
    if (replaces && !S_ISREG(old.st_mode))
      throw Error(path_, ": is not a regular file and will not be replaced; save under another name");
    try {
      claim_partial();
      if (::ftruncate(fd_, 0) != 0) fail("empty " + partial_);
      if (replaces) ::fchmod(fd_, old.st_mode & 0777);  // where the file system has permissions
    } catch (...) {
      discard();
      throw;
    }
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() { discard(); }

  /// Appends.
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("write " + partial_);
      bytes = bytes.subspan(std::size_t(n));
    }
  }

  /// Everything to the disk, then under the name. Last call.
  void commit() {
    if (::fsync(fd_) != 0) fail("flush " + partial_);
    if (::rename(partial_.c_str(), path_.c_str()) != 0) fail("rename " + partial_);
    ::close(std::exchange(fd_, -1));
    flush_folder();
  }

 private:
  /// Opens the partial file and locks it, so that of two savers of one path the second is refused, while a killed
  /// saver, whose lock died with it, is in nobody's way.
  void claim_partial() {
    for (;;) {
      fd_ =
          ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);  // no wait on pipes
      if (fd_ < 0) fail("create " + partial_);
      if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        ::close(std::exchange(fd_, -1));
        throw Error(path_, ": another process is saving it; wait for it or save under another name");
      }
      struct stat locked {
      }, named{};
      ::fstat(fd_, &locked);
      if (!S_ISREG(locked.st_mode)) {
        ::close(std::exchange(fd_, -1));
        throw Error(partial_,
                    ": is not a regular file and will not be replaced; remove it, or save under another name");
      }
      if (::stat(partial_.c_str(), &named) == 0 && locked.st_dev == named.st_dev && locked.st_ino == named.st_ino)
        return;
      ::close(std::exchange(fd_, -1));  // another saver finished between our open and our lock: this is its file now
    }
  }
  void discard() {
    if (fd_ < 0) return;
    ::unlink(partial_.c_str());
    ::close(std::exchange(fd_, -1));
  }
  /// The rename itself must outlive a loss of power. File systems that cannot promise it say EINVAL.
  void flush_folder() {
    const std::size_t slash = path_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    const int error = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    if (error != 0 && error != EINVAL)
      throw Error(path_, ": is in place, but cannot flush its folder (", std::strerror(error),
                  "): a loss of power may undo the save; check the disk");
  }
  [[noreturn, gnu::cold]] void fail(const std::string& step) const {
    const int error = errno;
    const char* way_out = "save to another disk";
    if (error == ENOENT || error == ENOTDIR)
      way_out = "create its folder first";
    else if (error == EACCES || error == EPERM || error == EROFS)
      way_out = "save to a folder you may write to";
    else if (error == ENOSPC || error == EDQUOT || error == EFBIG)
      way_out = "free some space or save to another disk";
    else if (error == ENAMETOOLONG)
      way_out = "save under a shorter name";
    else if (error == ELOOP || error == EISDIR || error == ENXIO)
      way_out = "remove what stands under that name";
    throw Error(path_, ": cannot ", step, " (", std::strerror(error), "); ", way_out);
  }

  std::string path_, partial_;
  int fd_ = -1;
};

}  // namespace rwkv
