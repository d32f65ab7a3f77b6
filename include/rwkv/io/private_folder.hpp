#pragma once
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <rwkv/core/error.hpp>

namespace rwkv {

/// A descriptor that is closed with its owner; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

/// A folder whose files may be trusted: it is the user's own and nobody else may enter it. Files are reached from its
/// descriptor, so that no name on the way to it can be exchanged meanwhile, and no symbolic link in it is followed.
class PrivateFolder {
 public:
  /// Makes the folder, and those above it, where they are missing. Error if that cannot be done, or if it is a symbolic
  /// link, belongs to somebody else, or lets others in.
  [[gnu::cold]] explicit PrivateFolder(std::string path) : path_(std::move(path)), folder_(opened(path_)) {
    struct stat status {};
    if (::fstat(folder_.number(), &status) != 0) fail(path_, "look at this folder");
    if (status.st_uid != ::geteuid())
      throw Error(path_, ": expected a folder of your own, found one of user ", status.st_uid,
                  "; remove it, or name another place for caches in XDG_CACHE_HOME");
    if ((status.st_mode & 077) != 0)
      throw Error(path_, ": expected a folder that nobody else may enter, found permissions ", octal(status.st_mode),
                  "; see that nobody has put anything into it, then chmod 700 it");
  }

  const std::string& path() const { return path_; }
  int number() const { return folder_.number(); }  ///< its descriptor

  /// A file in it, for reading; none where there is no such file. Error if it is none of the user's own that nobody
  /// else may write to.
  Descriptor open(const std::string& name) const {
    Descriptor file(::openat(number(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file && errno == ENOENT) return file;
    if (!file) fail(path_ + "/" + name, "open this file");
    struct stat status {};
    if (::fstat(file.number(), &status) != 0) fail(path_ + "/" + name, "look at this file");
    if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 022) != 0)
      throw Error(path_, "/", name, ": expected a file that only you can write to, found another; remove it");
    return file;
  }
  /// A file in it, empty, for writing.
  Descriptor create(const std::string& name) const {
    Descriptor file(::openat(number(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) fail(path_ + "/" + name, "create this file");
    return file;
  }
  /// Creates it with that content.
  void write(const std::string& name, std::string_view text) const {
    const Descriptor file = create(name);
    while (!text.empty()) {
      const ssize_t n = ::write(file.number(), text.data(), text.size());
      if (n < 0 && errno != EINTR) fail(path_ + "/" + name, "write this file");
      if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  /// Puts a file in the place of another, whole and readable by its owner alone, on the disk before it has its name.
  void put(const std::string& from, const std::string& to) const {
    const Descriptor file = open_written(from);
    if (::fchmod(file.number(), 0600) != 0 || ::fsync(file.number()) != 0 ||
        ::renameat(number(), from.c_str(), number(), to.c_str()) != 0)
      fail(path_ + "/" + to, "put this file in place");
  }
  /// Waits until no other process holds the lock of that name; it is let go with what is returned.
  Descriptor lock(const std::string& name) const {
    Descriptor file(::openat(number(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) fail(path_ + "/" + name, "create this lock");
    while (::flock(file.number(), LOCK_EX) != 0)
      if (errno != EINTR) break;  // a file system without locks
    return file;
  }

 private:
  static Descriptor opened(const std::string& path) {
    if (!path.starts_with('/'))
      throw Error(path, ": expected the path of a folder from the root on, found another; set XDG_CACHE_HOME to one");
    for (std::size_t slash = 0; slash != path.npos;) {
      slash = path.find('/', slash + 1);
      const std::string part = path.substr(0, slash);
      if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) fail(part, "create this folder");
    }
    Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder && (errno == ELOOP || errno == ENOTDIR))
      throw Error(path, ": expected a folder, found a link or a file; remove it, or name another place for caches in ",
                  "XDG_CACHE_HOME");
    if (!folder) fail(path, "open this folder");
    return folder;
  }
  Descriptor open_written(const std::string& name) const {
    Descriptor file(::openat(number(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!file || ::fstat(file.number(), &status) != 0) fail(path_ + "/" + name, "find what was written");
    return file;
  }
  static std::string octal(mode_t mode) {
    std::string digits;
    for (const int shift : {6, 3, 0}) digits += static_cast<char>('0' + (mode >> shift & 7));
    return digits;
  }
  [[noreturn, gnu::cold]] static void fail(const std::string& path, const char* step) {
    const int error = errno;
    throw Error(path, ": cannot ", step, " (", std::strerror(error),
                "); name another place for caches in XDG_CACHE_HOME");
  }

  std::string path_;
  Descriptor folder_;
};

}  // namespace rwkv
