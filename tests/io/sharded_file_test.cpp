#include <rwkv/io/open_source.hpp>
#include <rwkv/io/safetensors_writer.hpp>

#include "golden_tensors.hpp"

using namespace rwkv;

namespace {

const std::string index_name = "model.safetensors.index.json";

void save(const std::string& path, const std::vector<std::string>& names, float first) {
  std::vector<std::vector<float>> numbers;
  SafetensorsWriter writer;
  writer.metadata = {{"format", "pt"}, {path.substr(path.size() - 1), "own"}};
  for (std::size_t i = 0; i < names.size(); ++i) numbers.push_back({first++, -1});
  for (std::size_t i = 0; i < names.size(); ++i) writer.add(names[i], {2}, std::span<const float>(numbers[i]));
  writer.write(path);
}
/// A model of two shards, with this index.
struct TwoShards {
  test::Folder folder;
  explicit TwoShards(const std::string& index) {
    save(folder / "shard1", {"a", "b"}, 1);
    save(folder / "shard2", {"c"}, 3);
    test::write(folder / index_name, index);
  }
  std::string path() const { return folder / index_name; }
};
const std::string sound =
    R"({"metadata": {"total_size": 24, "more": [{}, "x"]}, "weight_map": {"a": "shard1", "b": "shard1", "c": "shard2"}})";

std::string complaint(const std::string& path) {
  return test::message<Error>([&] { open_source(path); });
}

}  // namespace

TEST_CASE("shards are one source, by their index or their folder") {
  const TwoShards model(sound);
  for (const std::string& path : {model.path(), model.folder.path, model.folder.path + "/"}) {
    const auto source = open_source(path);
    CHECK(source->format() == ShardedFile::name);
    REQUIRE(source->tensors().size() == 3);
    float expected = 1;
    for (const char* name : {"a", "b", "c"}) {
      std::vector<float> numbers(2);
      source->read(name, std::vector<dim_t>{2}, std::span(numbers));
      CHECK(numbers == std::vector<float>{expected++, -1});
      CHECK(source->bytes(*source->find(name))->size() == 8);
    }
    CHECK(source->metadata() == Metadata{{"format", "pt"}, {"1", "own"}, {"2", "own"}});
  }
}

TEST_CASE("shards may be PyTorch's, under the names that they have there") {
  const auto open_alone = [](const std::string& shard, const std::string& names) {
    const test::Folder folder;
    std::filesystem::copy_file(test::golden_files + shard, folder / shard);
    std::string map;
    for (std::size_t begin = 0, end = 0; begin < names.size(); begin = end + 1) {
      end = std::min(names.find(',', begin), names.size());
      map += (map.empty() ? "\"" : ", \"") + names.substr(begin, end - begin) + "\": \"" + shard + "\"";
    }
    test::write(folder / "pytorch_model.bin.index.json", "{\"weight_map\": {" + map + "}}");
    return open_source(folder.path);
  };
  const auto check = [&](const std::string& shard, const std::string& names) {
    return test::check_golden(*open_alone(shard, names), "torch_expected.safetensors", shard);
  };
  CHECK(check("strided.pth", "whole,transposed,corner,column,row,odd,swapped,one,every other,long") == 10);
  CHECK(check("transformers.pth", "rwkv.embeddings.weight,rwkv.blocks.0.pre_ln.weight") == 2);
  const auto wrapped = open_alone("nested.pth",
                                  "module._orig_mod.rwkv.model.emb.weight,module._orig_mod.head.weight,"
                                  "module._orig_mod.rwkv.model.blocks.0.att.key.weight");
  CHECK(wrapped->tensors().size() == 3);
}

TEST_CASE("of a folder the file is opened that Hugging Face's programs would take") {
  const test::Folder folder;
  CHECK(complaint(folder.path) == folder.path +
                                      ": expected a model, found a directory without model.safetensors, "
                                      "pytorch_model.bin and an index of either's shards; name the file itself");
  save(folder / "adapter_model.safetensors", {"base_model.model.head.lora_A.weight"}, 1);
  CHECK(open_source(folder.path)->path() == folder / "adapter_model.safetensors");
  test::write(folder / "pytorch_model.bin", test::read(std::string(RWKV_TESTS_DIR) + "/golden/files/module.pth"));
  CHECK(open_source(folder.path)->format() == PthFile::name);
  test::write(folder / index_name, "{\"weight_map\": {}}");
  CHECK(complaint(folder.path).starts_with(folder / index_name));
  save(folder / "model.safetensors", {"a"}, 1);
  CHECK(open_source(folder.path)->path() == folder / "model.safetensors");
}

TEST_CASE("shards that are missing, or contradict their index, are refused by name") {
  struct Case {
    std::string index, reason;
  };
  const auto map = [](const std::string& entries) { return "{\"weight_map\": {" + entries + "}}"; };
  const std::string a = "\"a\": \"shard1\", ", b = "\"b\": \"shard1\", ", c = "\"c\": \"shard2\"";
  const Case cases[] = {
      {map(a + b + "\"c\": \"shard3\""), "expected its shard \"shard3\" beside it, found that it cannot be read: "},
      {map(a + b + "\"c\": \"" + index_name + "\""),
       "expected its shard \"model.safetensors.index.json\" beside it, found that it cannot be read: "},
      {map(a + c), "tensor \"b\": the index says nothing of it, but it is in \"shard1\""},
      {map(a + b + "\"d\": \"shard1\", " + c), "tensor \"d\": the index says it is in \"shard1\", but it is not"},
      {map(a + "\"b\": \"shard2\", " + c), "tensor \"b\": the index says it is in \"shard2\", but it is in \"shard1\""},
      {map(""), "expected tensors in its weight_map, found none"},
      {R"({"metadata": {"weight_map": {"a": "shard1"}}})", "expected tensors in its weight_map, found none"},
      {map(a + a + b + c), "\"a\" occurs twice"},
      {"{\"weight_map\": {}, \"weight_map\": {}}", "weight_map occurs twice"},
      {"{\"weight_map\": [\"a\"]}", "weight_map: expected an object, found an array"},
      {"{\"weight_map\": \"a\"}", "weight_map: expected an object, found a text"},
      {map("\"a\": {}"), "\"a\": expected the name of a file, found an object"},
      {map("\"a\": [\"shard1\"]"), "\"a\": expected the name of a file, found an array"},
      {map("\"a\": 1"), "\"a\": expected the name of a file, found a number"},
      {map("\"a\": null"), "\"a\": expected the name of a file, found null"},
      {map("\"a\": \"\""), "\"a\": expected the name of a file in the same folder, found \"\""},
      {map("\"a\": \"..\""), "\"a\": expected the name of a file in the same folder, found \"..\""},
      {map("\"a\": \"../shard1\""), "\"a\": expected the name of a file in the same folder, found \"../shard1\""},
      {map("\"a\": \"/etc/passwd\""), "\"a\": expected the name of a file in the same folder, found \"/etc/passwd\""},
      {map("\"a\": \"shard1\\u0000\""), "\"a\": expected the name of a file in the same folder, found \"shard1\\x00\""},
      {sound + "x", "is not JSON: error at its byte 113"},
  };
  for (const Case& wrong : cases) {
    const TwoShards model(wrong.index);
    const std::string found = complaint(model.path());
    CHECK_MESSAGE(found.starts_with(model.path() + ": " + wrong.reason), found, "\n  expected: ", wrong.reason);
    CHECK(found.find("; ") != std::string::npos);  // and the way out
  }
}

TEST_CASE("a tensor in two shards, a damaged shard, and an index cut short are refused") {
  const TwoShards model(sound);
  save(model.folder / "shard2", {"c", "a"}, 3);
  CHECK(complaint(model.path()).find("tensor \"a\": the index says it is in \"shard1\", but it is in \"shard2\"") !=
        std::string::npos);
  save(model.folder / "shard2", {"c"}, 3);
  const std::string shard = test::read(model.folder / "shard1");
  for (std::size_t n = 0; n < shard.size(); ++n) {
    test::write(model.folder / "shard1", shard.substr(0, n));
    REQUIRE(complaint(model.path()).find("expected its shard \"shard1\" beside it, found that it cannot be read: ") !=
            std::string::npos);
  }
  test::write(model.folder / "shard1", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  CHECK_MESSAGE(complaint(model.path()).find("expected safetensors or PyTorch's .pth, found a Git LFS pointer; ") !=
                    std::string::npos,
                complaint(model.path()));
  test::write(model.folder / "shard1", shard);
  CHECK(complaint(model.path()) == "");
  for (std::size_t n = 0; n < sound.size(); ++n) {
    test::write(model.path(), sound.substr(0, n));
    REQUIRE(complaint(model.path()) != "");
  }
}
