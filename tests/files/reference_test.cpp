#include <unistd.h>

#include <algorithm>
#include <cmath>

#include <rwkv/io/write_gguf.hpp>
#include <rwkv/io/write_rwkv_cpp.hpp>
#include <rwkv/io/write_safetensors.hpp>
#include <rwkv/registry/open.hpp>

#include <doctest/doctest.h>

#include "../io/folder.hpp"
#include "reference.hpp"
#include "run.hpp"

using namespace rwkv;

namespace {

double distance(std::span<const float> a, std::span<const float> b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(double(a[i]) - double(b[i])));
  return most;
}
bool present() {
  if (::access((reference::folder + "manifest.json").c_str(), R_OK) == 0) return true;
  MESSAGE("left out: there is no " << reference::folder);
  return false;
}
/// A part of the state as the reference lists it, layer after layer. With matrices as states ours are [key][value].
std::vector<float> part(const reference::Run& run, const reference::Entry& entry, const std::string& name) {
  const std::map<std::string, std::pair<std::string, int>> places{
      {"att_x", {"att.last", -1}}, {"ffn_x", {"ffn.last", -1}}, {"wkv", {"att.wkv", -1}},
      {"aa", {"att.wkv", 0}},      {"bb", {"att.wkv", 1}},      {"pp", {"att.wkv", 2}}};
  const auto [field, third] = places.at(name);
  std::vector<float> all;
  for (int layer = 0;; ++layer) {
    const auto found = run.state.find("blocks." + std::to_string(layer) + "." + field);
    if (found == run.state.end()) return all;
    const auto& numbers = found->second;
    if (third >= 0) {
      const auto n = std::ptrdiff_t(numbers.size() / 3);
      all.insert(all.end(), numbers.begin() + third * n, numbers.begin() + (third + 1) * n);
    } else if (name == "wkv" && entry.version == "7") {
      const std::size_t width = run.state.at("blocks.0.att.last").size(), size = numbers.size() / width;
      for (std::size_t i = 0; i < numbers.size(); ++i)
        all.push_back(numbers[i / (size * size) * size * size + i % size * size + i / size % size]);
    } else {
      all.insert(all.end(), numbers.begin(), numbers.end());
    }
  }
}

}  // namespace

TEST_CASE("files of every format and layout give the logits and states that official software computed") {
  if (!present()) return;
  for (const reference::Entry& entry : reference::Manifest::read()) {
    INFO(entry.file);
    const std::unique_ptr<TensorSource> file = open_source(reference::folder + entry.file);
    const auto [family, shape] = detail::shape_in(OfficialSource(*file));
    REQUIRE(family != nullptr);
    const std::string type = family->type(shape);
    const auto runner = reference::runners().find(type);
    REQUIRE_MESSAGE(runner != reference::runners().end(), "no net " << type);
    const reference::Run run = runner->second(*file, entry.tokens);
    const auto expected = reference::npy(entry.layouts_logits.empty() ? entry.logits : entry.layouts_logits);
    std::vector<int> rows = entry.rows;
    if (rows.empty())
      for (int i = 1; i <= int(entry.tokens.size()); ++i) rows.push_back(i);
    const std::size_t vocabulary = run.logits.size() / entry.tokens.size();
    std::vector<float> logits;
    for (const int row : rows)
      logits.insert(logits.end(), &run.logits[std::size_t(row - 1) * vocabulary],
                    &run.logits[std::size_t(row - 1) * vocabulary] + vocabulary);
    CHECK(distance(logits, expected) < 1e-4);
    for (const auto& state : entry.state) {
      INFO(state.first);
      CHECK(distance(part(run, entry, state.first), reference::npy(state.second)) < 1e-4);
    }
  }
}

namespace {
/// How many bytes differ; all of them where the files are not of one size.
std::size_t differing_bytes(const std::string& one, const std::string& other) {
  const MappedFile a(one), b(other);
  if (a.bytes().size() != b.bytes().size()) return a.bytes().size();
  std::size_t n = 0;
  for (std::size_t i = 0; i < a.bytes().size(); ++i) n += a.bytes()[i] != b.bytes()[i];
  return n;
}
}  // namespace

TEST_CASE("rwkv.cpp's files are written byte for byte as its own converter writes them") {
  if (!present()) return;
  const test::Folder folder;
  for (const std::string version : {"4", "52", "6", "7"}) {
    INFO(version);
    const std::string theirs = reference::folder + "bin/v" + version + "-FP32.bin";
    write_rwkv_cpp(*open_source(reference::folder + "pth/v" + version + "-fp32.pth"), folder / "bin");
    // PyTorch's exp is off by one in the last place for two of version 4's 96 decays
    CHECK(differing_bytes(folder / "bin", theirs) == (version == "4" ? 2 : 0));
    write_safetensors(*open_source(theirs), folder / "back", {});
    write_rwkv_cpp(*open_source(folder / "back"), folder / "again");
    CHECK(differing_bytes(folder / "again", theirs) == 0);
  }
}

TEST_CASE("GGUFs hold the same tensors as those that llama.cpp runs") {
  if (!present()) return;
  const test::Folder folder;
  for (const std::string name : {"g6b-F16", "g7-F32", "g7-F16"}) {
    INFO(name);
    const GgufFile theirs(reference::folder + "gguf/" + name + ".gguf");
    write_gguf(theirs, folder / "a",
               {.matrices = name.ends_with("F32") ? Dtype::f32 : Dtype::f16, .name = {}, .tokens = {}});
    const GgufFile ours(folder / "a");
    CHECK(ours.tensors().size() == theirs.tensors().size());
    for (const TensorInfo& t : theirs.tensors()) {
      INFO(t.name);
      const TensorInfo* found = ours.find(t.name);
      REQUIRE(found != nullptr);
      CHECK(found->dtype == t.dtype);
      CHECK(found->shape == t.shape);
      CHECK(std::ranges::equal(*ours.bytes(*found), *theirs.bytes(t)));
    }
    for (const auto& pair : theirs.metadata())
      if (pair.first.starts_with("rwkv")) CHECK(ours.metadata().at(pair.first) == pair.second);
  }
}
