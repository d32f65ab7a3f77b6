#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Zip archives, right or wrong, as torch.save lays them out.
namespace test {

template <class T>
std::string bytes_of(T n) {
  return {reinterpret_cast<const char*>(&n), sizeof n};
}

struct Zip {
  std::vector<std::pair<std::string, std::string>> members;  // name, bytes
  std::uint16_t method = 0, flags = 0x0808;
  bool wide = true;                // with the record of 64 bits
  bool wide_sizes = false;         // in the directory, places too
  std::uint64_t shifted = 0;       // what the directory says too much of where members begin
  std::uint64_t grown = 0;         // and of the first one's size
  std::string other_name = {};     // in local headers
  std::uint64_t more_entries = 0;  // than there are
  std::string comment = {};

  std::string bytes() const {
    std::string file, directory;
    for (const auto& [name, data] : members) {
      const auto size = std::uint32_t(data.size() + (file.empty() ? grown : 0));
      const std::string here = other_name.empty() ? name : other_name;
      const std::string place = bytes_of(std::uint32_t(file.size() + shifted)), none(4, '\xFF');
      const std::string wider = std::string("UT\1\0t\1\0\x18\0", 9) + bytes_of(std::uint64_t(size)) +
                                bytes_of(std::uint64_t(size)) + bytes_of(std::uint64_t(file.size() + shifted));
      directory += "PK\1\2" + std::string(4, '\0') + bytes_of(flags) + bytes_of(method) + std::string(8, '\0') +
                   (wide_sizes ? none + none : bytes_of(size) + bytes_of(size)) + bytes_of(std::uint16_t(name.size())) +
                   bytes_of(std::uint16_t(wide_sizes ? wider.size() : 0)) + std::string(10, '\0') +
                   (wide_sizes ? none : place) + name + (wide_sizes ? wider : "");
      file += "PK\3\4" + std::string(22, '\0') + bytes_of(std::uint16_t(here.size())) + bytes_of(std::uint16_t(7)) +
              here + std::string("FB\3\0ZZZ", 7) + data;
    }
    const std::uint64_t begin = file.size(), entries = members.size() + more_entries;
    file += directory;
    const std::uint64_t end = file.size();
    using namespace std::string_literals;
    if (wide)
      file += "PK\6\6" + bytes_of(std::uint64_t(44)) + std::string(12, '\0') + bytes_of(entries) + bytes_of(entries) +
              bytes_of(std::uint64_t(directory.size())) + bytes_of(begin) + "PK\6\7\0\0\0\0"s + bytes_of(end) +
              "\1\0\0\0"s;
    constexpr std::uint64_t beyond = 0xFFFFFFFF;
    return file + "PK\5\6\0\0\0\0"s + bytes_of(std::uint16_t(entries)) + bytes_of(std::uint16_t(entries)) +
           bytes_of(std::uint32_t(wide ? beyond : directory.size())) + bytes_of(std::uint32_t(wide ? beyond : begin)) +
           bytes_of(std::uint16_t(comment.size())) + comment;
  }
};

}  // namespace test
