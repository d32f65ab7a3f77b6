#include <rwkv/io/safetensors_file.hpp>

#include "memory_file.hpp"
#include "targets.hpp"
#include "touch.hpp"

void fuzz::safetensors(std::string_view input) {
  static MemoryFile file;
  file.hold(input);
  touch(rwkv::SafetensorsFile(file.path()));
}
