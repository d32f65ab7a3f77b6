#include <rwkv/io/gguf_file.hpp>

#include "memory_file.hpp"
#include "targets.hpp"
#include "touch.hpp"

void fuzz::gguf(std::string_view input) {
  static MemoryFile file;
  file.hold(input);
  touch(rwkv::GgufFile(file.path()));
}
