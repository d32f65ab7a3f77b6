#include <rwkv/io/pth_file.hpp>

#include "../io/zip.hpp"
#include "memory_file.hpp"
#include "targets.hpp"
#include "touch.hpp"

/// In an archive with two storages.
void fuzz::pickle(std::string_view input) {
  static MemoryFile file;
  const test::Zip archive{.members = {{"a/data.pkl", std::string(input)},
                                      {"a/data/0", std::string(48, '\1')},
                                      {"a/data/1", std::string(16, '\2')}}};
  file.hold(archive.bytes());
  touch(rwkv::PthFile(file.path()));
}
