#include <rwkv/io/rwkv_cpp_file.hpp>

#include "memory_file.hpp"
#include "targets.hpp"
#include "touch.hpp"

void fuzz::rwkv_cpp(std::string_view input) {
  static MemoryFile file;
  file.hold(input);
  touch(rwkv::RwkvCppFile(file.path()));
}
