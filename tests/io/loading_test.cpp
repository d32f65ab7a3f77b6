#include <unistd.h>

#include <cmath>

#include <doctest/doctest.h>

#include <rwkv/io/load.hpp>
#include <rwkv/io/save.hpp>
#include <rwkv/models/v4.hpp>

#include "folder.hpp"

using namespace rwkv;

namespace {
std::string counting(std::size_t n) {
  std::string text(n, ' ');
  for (std::size_t i = 0; i < n; ++i) text[i] = char(i * 7 + i / 251);
  return text;
}
/// Of the process's memory, what lies in pages of this span.
std::size_t resident(std::span<const std::byte> bytes) {
  std::vector<unsigned char> pages((bytes.size() + 4095) / 4096);
  std::ifstream map("/proc/self/smaps");
  const auto begin = std::uintptr_t(bytes.data());
  std::string line;
  bool inside = false;
  while (std::getline(map, line)) {
    std::uintptr_t from = 0, to = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx ", &from, &to) == 2) inside = from <= begin && begin < to;
    std::size_t kb = 0;
    if (inside && std::sscanf(line.c_str(), "Rss: %zu kB", &kb) == 1) return kb * 1024;
  }
  return 0;
}
}  // namespace

TEST_CASE("bytes are copied from a mapped file, and from anywhere else") {
  const test::Folder folder;
  const std::string text = counting(1 << 20), path = folder / "bytes";
  test::write(path, text);
  const MappedFile first(path), second(path);
  MappedFile third(path);
  const MappedFile file(std::move(third));
  const std::pair<std::size_t, std::size_t> pieces[] = {{0, 1 << 20}, {1, 5000}, {4095, 4097}, {9, 3}, {77, 0}};
  for (const auto& [at, size] : pieces) {
    std::string copy(size, '?');
    copy_bytes(file.bytes().subspan(at, size), reinterpret_cast<std::byte*>(copy.data()));
    CHECK(copy == text.substr(at, size));
    const std::string here = text.substr(at, size);
    std::string again(size, '?');
    copy_bytes(std::as_bytes(std::span(here)), reinterpret_cast<std::byte*>(again.data()));
    CHECK(again == here);
  }
  CHECK(resident(file.bytes()) <= 1 << 17);  // what the system brings in around a page
  const volatile std::byte touched = file.bytes()[1 << 19];
  static_cast<void>(touched);
  release_bytes(file.bytes().subspan(1000));
  CHECK(resident(file.bytes().subspan(8192)) == 0);
  CHECK(file.text() == text);
  release_bytes(std::as_bytes(std::span(text)));  // no file's: stays as it is
  CHECK(text == counting(1 << 20));
}

TEST_CASE("a file that is cut short or changed before its bytes are copied is an Error") {
  const test::Folder folder;
  const std::string path = folder / "cut";
  test::write(path, counting(100000));
  const MappedFile file(path);
  REQUIRE(truncate(path.c_str(), 50000) == 0);
  std::vector<std::byte> copy(100000);
  CHECK_THROWS_WITH_AS(copy_bytes(file.bytes(), copy.data()),
                       (path + ": expected 100000 bytes that stay as they were when the file was opened, found 50000 "
                               "bytes, changed since; put the old ones back, and leave a file that is in use alone")
                           .c_str(),
                       Error);
}

TEST_CASE_TEMPLATE("a model's file that is cut short while it is read is an Error", Stored, float, bf16) {
  using Net = v4::Model<300, 32, 2>;
  const test::Folder folder;
  const std::string path = folder / "model.safetensors";
  save(Model<Net, Cpu<Stored>>(1), path);
  const auto source = open_source(path);
  REQUIRE(truncate(path.c_str(), 20000) == 0);
  Model<Net> model(2);
  const auto before = model.params;
  CHECK_THROWS_WITH_AS(load(model, *source), doctest::Contains("bytes, changed since"), Error);
  CHECK(model.params == before);
  CHECK_THROWS_WITH_AS(load(model, *source, OnNonFinite::accept), doctest::Contains("bytes, changed since"), Error);
}

TEST_CASE("loading leaves nothing of the file in memory, and the first number that is none is named") {
  using Net = v4::Model<4000, 64, 2>;
  const test::Folder folder;
  const std::string path = folder / "model.safetensors";
  Model<Net> saved(1);
  save(saved, path);
  const auto source = open_source(path);
  Model<Net> loaded(2);
  load(loaded, *source);
  CHECK(loaded.params == saved.params);
  CHECK(resident(*source->bytes(*source->find("emb.weight"))) <= 1 << 17);

  for (const Leaf& leaf : saved.params.leaves())
    if (leaf.name == "head.weight") {
      saved.params.data()[leaf.offset + 200000] = NAN;
      saved.params.data()[leaf.offset + 100001] = INFINITY;
    }
  save(saved, path);
  CHECK_THROWS_WITH_AS(load(loaded, path), doctest::Contains("found NaN or an infinity at place 100001"), Error);
}
