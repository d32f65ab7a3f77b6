#pragma once
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <rwkv/core/error.hpp>

namespace rwkv {

/// A file's bytes, read-only, without a copy: the system brings in each page when it is first touched. Moving keeps the
/// addresses. The file must not be cut short while it is mapped.
class MappedFile {
 public:
  /// Throws Error if path names no file, a directory or another thing that has no bytes of its own, or may not be read.
  explicit MappedFile(const std::string& path) : path_(path) {
    const Descriptor file(path.c_str());
    if (file.number < 0 && errno == ENOENT) refuse("nothing by that name", "check the name and the working directory");
    if (file.number < 0)
      refuse("one that cannot be opened: " + std::string(std::strerror(errno)), "check its permissions");
    struct stat status {};
    if (fstat(file.number, &status) != 0) refuse("no status: " + std::string(std::strerror(errno)), "try a local copy");
    if (S_ISDIR(status.st_mode)) refuse("a directory", "name a file inside it");
    if (!S_ISREG(status.st_mode)) refuse("a pipe or a device", "write what it gives to a file first");
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;  // mmap takes no empty ranges
    void* address = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number, 0);
    if (address == MAP_FAILED) refuse("no mapping: " + std::string(std::strerror(errno)), "try a local copy");
    data_ = static_cast<const std::byte*>(address);
  }
  MappedFile(MappedFile&& other) noexcept
      : path_(std::move(other.path_)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    MappedFile(std::move(other)).swap(*this);
    return *this;
  }
  ~MappedFile() {
    if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
  }

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  struct Descriptor {
    int number;
    explicit Descriptor(const char* path)
        : number(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}  // no wait on pipes
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
      if (number >= 0) close(number);
    }
  };
  [[noreturn]] void refuse(const std::string& found, const char* way_out) const {
    throw Error(path_, ": expected a file to read, found ", found, "; ", way_out);
  }
  void swap(MappedFile& other) noexcept {
    path_.swap(other.path_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  std::string path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace rwkv
