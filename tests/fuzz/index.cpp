#include <rwkv/io/safetensors_writer.hpp>
#include <rwkv/io/sharded_file.hpp>

#include <filesystem>
#include <fstream>

#include "targets.hpp"
#include "touch.hpp"

namespace {

/// A folder with two shards, gone when the program ends.
struct Shards {
  std::string path = (std::filesystem::temp_directory_path() / "rwkv.XXXXXX").string();
  Shards() {
    fuzz::expect(::mkdtemp(path.data()) != nullptr, "a folder");
    const std::vector<float> numbers{1, 2};
    rwkv::SafetensorsWriter one, two;
    one.add("emb.weight", {2}, std::span(numbers));
    one.add("a", {1, 2}, std::span(numbers));
    two.add("b", {2, 1}, std::span(numbers));
    one.write(path + "/1");
    two.write(path + "/2");
  }
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;
  ~Shards() { std::filesystem::remove_all(path); }
};

}  // namespace

void fuzz::index(std::string_view input) {
  static const Shards shards;
  const std::string path = shards.path + "/model.safetensors.index.json";
  std::ofstream(path, std::ios::binary) << input;
  touch(rwkv::ShardedFile(path));
}
