#include <rwkv/io/pth_file.hpp>

#include "memory_file.hpp"
#include "targets.hpp"
#include "touch.hpp"

void fuzz::pth(std::string_view input) {
  static MemoryFile file;
  file.hold(input);
  touch(rwkv::PthFile(file.path()));
}
