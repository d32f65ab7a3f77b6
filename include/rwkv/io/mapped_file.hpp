#pragma once
#include <sys/mman.h>

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include <rwkv/io/open_file.hpp>

namespace rwkv {

namespace detail {

/// A file and where it is mapped. Who has only bytes of it finds it by `with`.
class Mapping {
 public:
  explicit Mapping(const std::string& path) : file(path) {
    if (file.size() == 0) return;  // mmap takes no empty ranges
    void* const address = mmap(nullptr, file.size(), PROT_READ, MAP_PRIVATE, file.number(), 0);
    if (address == MAP_FAILED)
      throw Error(path, ": expected a file to read, found no mapping: ", std::strerror(errno), "; try a local copy");
    bytes = {static_cast<const std::byte*>(address), file.size()};
    const std::lock_guard lock(all().mutex);
    all().mappings.push_back(this);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (bytes.empty()) return;
    {
      const std::lock_guard lock(all().mutex);
      std::erase(all().mappings, this);
    }
    munmap(const_cast<std::byte*>(bytes.data()), bytes.size());
  }

  /// The one that holds these bytes, which must live; null where they are no file's.
  [[gnu::noinline]] static const Mapping* with(std::span<const std::byte> part) {
    const std::lock_guard lock(all().mutex);
    for (const Mapping* one : all().mappings)
      if (one->offset_of(part) <= one->bytes.size() && part.size() <= one->bytes.size() - one->offset_of(part))
        return one;
    return nullptr;
  }
  /// Where they begin in the file; beyond its end for others.
  std::size_t offset_of(std::span<const std::byte> part) const {
    return std::uintptr_t(part.data()) - std::uintptr_t(bytes.data());
  }

  const OpenFile file;
  std::span<const std::byte> bytes;

 private:
  struct All {
    std::mutex mutex;
    std::vector<const Mapping*> mappings;
  };
  static All& all() {
    static All& living = *new All;  // outlives every static MappedFile
    return living;
  }
};

}  // namespace detail

/// A file's bytes, read-only, without a copy: the system brings in each page when it is first touched, and counts it as
/// the process's memory from then on. Moving keeps the addresses. The file must not be cut short while its bytes are
/// looked at; many are copied by copy_bytes instead, and what others may touch meanwhile is read by OpenFile.
class MappedFile {
 public:
  /// Throws Error if path names no file, a directory or another thing that has no bytes of its own, or may not be read.
  explicit MappedFile(const std::string& path) : mapping_(std::make_unique<detail::Mapping>(path)) {}

  const std::string& path() const { return mapping_->file.path(); }
  std::span<const std::byte> bytes() const { return mapping_ ? mapping_->bytes : std::span<const std::byte>(); }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes().data()), bytes().size()}; }

 private:
  std::unique_ptr<detail::Mapping> mapping_;
};

/// Copies bytes. Those of a MappedFile are read from the file instead, so that they take memory only once; Error if it
/// has been cut short or changed since it was opened.
inline void copy_bytes(std::span<const std::byte> from, std::byte* to) {
  constexpr std::size_t few = 256;  // take less time to copy than to ask for
  if (from.empty()) return;
  const detail::Mapping* const mapping = from.size() < few ? nullptr : detail::Mapping::with(from);
  if (mapping != nullptr)
    mapping->file.read(mapping->offset_of(from), {to, from.size()});
  else
    std::memcpy(to, from.data(), from.size());
}

/// Says that bytes will not be looked at soon: if they are a MappedFile's, they stop counting as the process's memory.
inline void release_bytes(std::span<const std::byte> from) {
  const detail::Mapping* const mapping = detail::Mapping::with(from);
  if (mapping == nullptr) return;
  const std::size_t before = mapping->offset_of(from) % std::size_t(sysconf(_SC_PAGESIZE));  // of its first page
  madvise(const_cast<std::byte*>(from.data() - before), from.size() + before, MADV_DONTNEED);
}

}  // namespace rwkv
