#include <rwkv/io/load.hpp>
#include <rwkv/io/save.hpp>
#include <rwkv/models/v4.hpp>

#include "folder.hpp"
#include "rwkv_cpp.hpp"

using namespace rwkv;

namespace {
std::string complaint(const std::string& path, const std::string& bytes) {
  test::write(path, bytes);
  return test::message<Error>([&] { open_source(path); });
}
}  // namespace

TEST_CASE("the format of a file is told by how it begins, not by its name") {
  const test::Folder folder;
  const Model<v4::Model<11, 8, 2>> model(3);
  save(model, folder / "model.bin", {{"note", "a"}});
  const auto source = open_source(folder / "model.bin");
  CHECK(source->format() == SafetensorsFile::name);
  CHECK(source->metadata().at("note") == "a");
  Model<v4::Model<11, 8, 2>> other(4);
  CHECK(load(other, *source) == source->metadata());
  CHECK(other.params == model.params);

  test::write(folder / "model.safetensors", test::header());
  CHECK(open_source(folder / "model.safetensors")->format() == RwkvCppFile::name);
  CHECK(open_source(std::string(RWKV_TESTS_DIR) + "/golden/files/module.pth")->format() == PthFile::name);
  CHECK(open_source(std::string(RWKV_TESTS_DIR) + "/golden/files/all.gguf")->format() == GgufFile::name);
}

TEST_CASE("what is no model is called by its name") {
  const test::Folder folder;
  const std::string path = folder / "a";
  const auto found = [&](const std::string& bytes) {
    const std::string
        text = complaint(path, bytes),
        start =
            path +
            ": expected a model in shards with an index, safetensors, PyTorch's .pth, GGUF or rwkv.cpp's .bin, found ";
    REQUIRE_MESSAGE(text.starts_with(start), text);
    return text.substr(start.size());
  };
  using namespace std::string_literals;
  CHECK(found("\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19 and so on") ==
        "a .pth checkpoint in the format before PyTorch 1.6; load it with PyTorch and torch.save it again");
  CHECK(found("\x80\4\x95 and so on").starts_with("a Python pickle;"));
  CHECK(found("version https://git-lfs.github.com/spec/v1\noid").starts_with("a Git LFS pointer; fetch the file"));
  CHECK(found("<!DOCTYPE html>\n<html>") == "a text; give the model's file itself, or download it again");
  CHECK(found("{\"model_type\": \"rwkv7\"}").starts_with("a text;"));
  CHECK(found("Caf\u00e9").starts_with("a text;"));
  CHECK(found("").starts_with("an empty file;"));
  CHECK(found("\1\2\3").starts_with("something unknown;"));
  CHECK(found(std::string(100, '\0')).starts_with("something unknown;"));
  CHECK(test::message<Error>([&] { open_source(folder.path); }).find("found a directory") != std::string::npos);
  CHECK(test::message<Error>([&] { open_source(folder / "none"); }).find("nothing by that name") != std::string::npos);
}

TEST_CASE("of a damaged file its format says what is wrong") {
  const test::Folder folder;
  save(Model<v4::Model<11, 8, 1>>(3), folder / "a");
  const std::string whole = test::read(folder / "a");
  CHECK(complaint(folder / "b", whole.substr(0, 100)).find("the header would have ") != std::string::npos);
  CHECK(complaint(folder / "b", whole.substr(0, whole.size() - 1)).find("reach beyond the ") != std::string::npos);
  CHECK(complaint(folder / "b", "PK\3\4 and so on").find("begins as a zip archive, but") != std::string::npos);
  CHECK(complaint(folder / "b", "GGUF").find("the header is cut short at byte 4") != std::string::npos);
  CHECK(complaint(folder / "b", test::header(99)).find("expected version 100 or 101") != std::string::npos);
}
