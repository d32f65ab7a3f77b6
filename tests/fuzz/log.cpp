#include <rwkv/training/log.hpp>

#include <cstdlib>
#include <fstream>

#include "expect.hpp"
#include "targets.hpp"

namespace {
std::string folder() {
  std::string name = "/dev/shm/rwkv-fuzz-XXXXXX";
  fuzz::expect(::mkdtemp(name.data()) != nullptr, "a folder in memory");
  return name;
}
std::string content(const std::string& path) {
  const rwkv::MappedFile file(path);
  return std::string(file.text());
}
/// Gone when the program ends.
struct Folder {
  std::string path = folder(), file = path + "/log.csv";
  ~Folder() { ::unlink(file.c_str()), ::rmdir(path.c_str()); }
};
}  // namespace

/// The first byte says after how many steps the run goes on.
void fuzz::log(std::string_view input) {
  if (input.empty()) return;
  static const Folder folder;
  const rwkv::dim_t steps = static_cast<unsigned char>(input[0]);
  std::ofstream(folder.file, std::ios::binary) << input.substr(1);
  rwkv::Log(folder.file, steps).seconds();
  const std::string kept = content(folder.file);
  expect(kept.starts_with(rwkv::Log::header), "a header");
  rwkv::Log(folder.file, steps).seconds();
  expect(content(folder.file) == kept || steps == 0, "the same lines once more");
}
