#include <rwkv/core/error.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "targets.hpp"

// Runs every seed, and every beginning of it, through its target: seeds FOLDER. Ends with status 1 if a target has no
// seed that it can read.
int main(int count, char** words) {
  if (count != 2) return std::fprintf(stderr, "usage: seeds FOLDER\n"), 2;
  int status = 0;
  for (const fuzz::Target& target : fuzz::targets) {
    int seeds = 0, read = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(words[1]) / target.name)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string seed{std::istreambuf_iterator<char>(file), {}};
      ++seeds;
      for (std::size_t size = 0; size <= seed.size(); ++size) try {
          target.run(std::string_view(seed).substr(0, size));
          if (size == seed.size()) ++read;
        } catch (const rwkv::Error&) {
        }
    }
    std::printf("%-12s %d seeds, %d of them sound\n", std::string(target.name).c_str(), seeds, read);
    if (read == 0) status = 1;
  }
  return status;
}
