#pragma once
#include <sys/mman.h>

#include <string_view>

#include <rwkv/io/open_file.hpp>

namespace rwkv {

/// A file's bytes, read-only, without a copy: the system brings in each page when it is first touched. Moving keeps the
/// addresses. The file must not be cut short while it is mapped; what others may touch meanwhile is read by OpenFile.
class MappedFile {
 public:
  /// Throws Error if path names no file, a directory or another thing that has no bytes of its own, or may not be read.
  explicit MappedFile(const std::string& path) : path_(path) {
    const OpenFile file(path);
    size_ = file.size();
    if (size_ == 0) return;  // mmap takes no empty ranges
    void* address = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number(), 0);
    if (address == MAP_FAILED)
      throw Error(path, ": expected a file to read, found no mapping: ", std::strerror(errno), "; try a local copy");
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
