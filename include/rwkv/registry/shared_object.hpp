#pragma once
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <rwkv/io/private_folder.hpp>

namespace rwkv::detail {

/// Whether an ELF file ends before the table of its sections does, which linkers write last: of such a file parts may
/// be missing, and who links it is ended by a signal. Others are left to the linker, which refuses them.
[[gnu::cold]] inline bool is_cut_short(const Descriptor& file) {
  std::array<char, 64> header{};
  if (::pread(file.number(), header.data(), header.size(), 0) != ssize_t(header.size())) return false;
  if (!std::string_view(header.data(), header.size()).starts_with("\177ELF")) return false;
  std::uint64_t sections = 0;
  std::uint16_t size = 0, count = 0;
  std::memcpy(&sections, &header[40], sizeof(sections));  // e_shoff
  std::memcpy(&size, &header[58], sizeof(size));          // e_shentsize
  std::memcpy(&count, &header[60], sizeof(count));        // e_shnum
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) return false;
  const auto held = static_cast<std::uint64_t>(status.st_size);
  return sections > held || held - sections < std::uint64_t{size} * count;
}

}  // namespace rwkv::detail
