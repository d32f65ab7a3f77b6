#pragma once
#include <sys/stat.h>

#include <string>

#include <rwkv/core/error.hpp>

namespace rwkv::detail {

/// The file of tensors that a path means: itself, or, in a folder as Hugging Face's programs save models, the one that
/// they would take. Error if the folder has none.
[[gnu::cold]] inline std::string model_file(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return path;
  for (const char* name :
       {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
        "adapter_model.safetensors"})  // of a LoRA, which detect names
    if (std::string file = path + "/" + name; stat(file.c_str(), &status) == 0) return file;
  throw Error(path,
              ": expected a model, found a directory without model.safetensors, pytorch_model.bin and an index of "
              "either's shards; name the file itself");
}

}  // namespace rwkv::detail
