#include <cmath>

#include <rwkv/io/load.hpp>
#include <rwkv/io/safetensors_writer.hpp>
#include <rwkv/models/v4.hpp>

#include "folder.hpp"
#include "rwkv_cpp.hpp"

using namespace rwkv;

namespace {

/// What an attention might hold.
template <class B>
struct Part {
  Tensor<B, 3> decay;
  Tensor<B, 2, 3> key;
  Tensor<B, 2, 2, 3> stack;
  Tensor<B, 1, 1, 3> mix_k, mix_r;
  static constexpr void fields(auto&& f, auto&&... p) {
    f(Field{"0.decay"}, p.decay...);
    f(Field{"0.key.weight"}, p.key...);
    f(Field{"0.stack"}, p.stack...);
    f(Field{"0.mix_k"}, p.mix_k...);
    f(Field{"0.mix_r"}, p.mix_r...);
  }
};
using B = Cpu<float>;
using Ours = Owned<B, Part<B>>;

double negative(double x) {
  return -x;
}
constexpr ImportRule table[] = {{"h.*.decay_", "*.decay", {.number = negative}},
                                {"h.*.k", "*.key.weight", {.transposed = true}},
                                {"h.*.old", "*.stack", {.transposed = true}},
                                {"h.*.new", "*.stack"},
                                {"h.*.mixes", "*.mix_k", {.part = 0, .parts = 2}},
                                {"h.*.mixes", "*.mix_r", {.part = 1, .parts = 2}},
                                {"unused.*", ImportRule::ignored}};

/// A file of theirs: every tensor counts from its first number on.
struct Theirs {
  std::vector<std::pair<std::string, std::vector<dim_t>>> tensors{
      {"h.0.decay_", {3}}, {"h.0.k", {3, 2}}, {"h.0.old", {2, 3, 2}}, {"h.0.mixes", {2, 1, 3}}, {"unused.buffer", {1}}};
  std::string write(const std::string& path) const {
    SafetensorsWriter writer;
    float first = 0;
    std::vector<std::vector<float>> values;
    values.reserve(tensors.size());
    for (const auto& [name, shape] : tensors) {
      std::vector<float> numbers(*byte_size(Dtype::u8, shape));
      for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = first + float(i);
      first += 100;
      values.push_back(std::move(numbers));
      writer.add(name, shape, std::span<const float>(values.back()));
    }
    writer.write(path);
    return path;
  }
};
std::string complaint(Ours& ours, const std::string& path) {
  return test::message<Error>([&] { load(ours, *open_source(path), table); });
}
std::vector<float> values(const auto& tensor) {
  return {tensor.data, tensor.data + tensor.size()};
}

}  // namespace

TEST_CASE("a * of a pattern stands for a word or the rest of one") {
  CHECK(renamed("blocks.7.att.key.weight", "blocks.*.att.key.weight", "h.*.k") == "h.7.k");
  CHECK(renamed("blocks.12.ffn.time_mix_r", "blocks.*.*.time_mix_*", "*/*/*") == "12/ffn/r");
  CHECK(renamed("emb.weight", "emb.weight", "wte") == "wte");
  CHECK(renamed("a.b", "*.*", "*") == "a");
  CHECK(!renamed("blocks.7.att.key.weight", "blocks.*.key.weight", ""));
  CHECK(!renamed("blocks..att", "blocks.*.att", ""));
  CHECK(!renamed("emb.weight", "emb.weigh", ""));
  CHECK(!renamed("emb.weigh", "emb.weight", ""));
  CHECK(!renamed("", "*", ""));
}

TEST_CASE("an import table renames, changes numbers, transposes, takes parts and leaves out") {
  const test::Folder folder;
  Ours ours;
  load(ours, *open_source(Theirs{}.write(folder / "a")), table);
  CHECK(values(ours.decay) == std::vector<float>{0, -1, -2});
  CHECK(values(ours.key) == std::vector<float>{100, 102, 104, 101, 103, 105});
  CHECK(values(ours.stack) == std::vector<float>{200, 202, 204, 201, 203, 205, 206, 208, 210, 207, 209, 211});
  CHECK(values(ours.mix_k) == std::vector<float>{300, 301, 302});
  CHECK(values(ours.mix_r) == std::vector<float>{303, 304, 305});

  Theirs newer;
  newer.tensors[2] = {"h.0.new", {2, 2, 3}};
  load(ours, *open_source(newer.write(folder / "a")), table);
  CHECK(ours.stack[1] == 201);

  Owned<Cpu<bf16>, Part<Cpu<bf16>>> rounded;
  load(rounded, *open_source(newer.write(folder / "a")), table);
  CHECK(float(rounded.key.data[5]) == 105);
  Owned<Cpu<double>, Part<Cpu<double>>> wide;
  load(wide, *open_source(newer.write(folder / "a")), table);
  CHECK(wide.decay[2] == -2);
}

TEST_CASE("what an import table does not make fit is said in the words of both") {
  const test::Folder folder;
  Theirs theirs;
  theirs.tensors = {
      {"h.0.k", {2, 3}}, {"h.0.old", {2, 3, 2}}, {"h.0.mixes", {3, 1, 3}}, {"h.0.x", {1}}, {"0.decay", {3}}};
  Ours ours;
  CHECK(complaint(ours, theirs.write(folder / "a")) ==
        (folder / "a") +
            ":"
            "\n  0.decay (h.0.decay_ in the file): expected F32 (3), found nothing of that name"
            "\n  0.key.weight (h.0.k in the file): shape: expected (3, 2), found (2, 3)"
            "\n  0.mix_k (h.0.mixes in the file): shape: expected (2, 1, 3), found (3, 1, 3)"
            "\n  0.mix_r (h.0.mixes in the file): shape: expected (2, 1, 3), found (3, 1, 3)"
            "\n  h.0.x: expected nothing of that name, found F32 (1)"
            "\n  0.decay: expected nothing of that name, found F32 (3)"
            "\nnothing was loaded; load it into the type that it was saved from");
  CHECK(values(ours.stack) == std::vector<float>(12));
}

TEST_CASE("a file of very many tensors that do not fit is answered with the first of them, shortly") {
  const test::Folder folder;
  Theirs theirs;
  for (int i = 0; i < 1000; ++i) theirs.tensors.push_back({"\x1b[2J" + std::to_string(i), {1}});
  Ours ours;
  const std::string found = complaint(ours, theirs.write(folder / "a"));
  CHECK(found.find("\n  \\x1B[2J0: expected nothing of that name, found F32 (1)\n") != found.npos);
  CHECK(found.find("\n  and 900 more\nnothing was loaded") != found.npos);
  CHECK(std::count(found.begin(), found.end(), '\n') == 102);
}

TEST_CASE("a table works below a prefix, and changes extents where it says so") {
  const test::Folder folder;
  constexpr ImportRule rules[] = {{"k", "0.key.weight", {.reshaped = true}}, {"b", ImportRule::ignored}};
  Theirs theirs;
  theirs.tensors = {{"m.0.decay", {3}}, {"m.k", {6}},      {"m.0.stack", {2, 2, 3}}, {"m.0.mix_k", {1, 1, 3}},
                    {"m.b", {1}},       {"other", {2, 2}}, {"m.0.mix_r", {1, 1, 3}}};
  const auto source = open_source(theirs.write(folder / "a"));
  Ours ours;
  BundleReader reader(*source, "m.", rules);
  reader.add("m.", ours);
  reader.read();
  CHECK(ours.key[5] == 105);

  theirs.tensors[1].second = {7};
  const auto longer = open_source(theirs.write(folder / "a"));
  BundleReader other(*longer, "m.", rules);
  other.add("m.", ours);
  CHECK(test::message<Error>([&] { other.read(); }).find("shape: expected (2, 3), found (7)") != std::string::npos);
}

TEST_CASE("an RWKV-4 of rwkv.cpp is loaded whole or refused, wherever its file is cut") {
  using Net = v4::Model<11, 4, 1, 8>;
  const test::Folder folder;
  const Model<Net> model(3);
  std::string file = test::header();
  for (const Leaf& leaf : model.params.leaves()) {
    std::vector<float> numbers(model.params.data() + leaf.offset, model.params.data() + leaf.offset + leaf.size);
    if (leaf.name.ends_with("time_decay"))
      for (float& x : numbers) x = -std::exp(x);
    const bool matrix = leaf.shape.size() == 2;
    file += matrix ? test::record(leaf.name, 0, {std::uint32_t(leaf.columns()), std::uint32_t(leaf.rows())}, 0)
                   : test::record(leaf.name, 0, {std::uint32_t(leaf.size)}, 0);
    file.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
  }
  test::write(folder / "a", file);
  Model<Net> other(4);
  load(other, folder / "a");
  for (const Leaf& leaf : model.params.leaves())
    for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i)
      CHECK(other.params.data()[i] == doctest::Approx(model.params.data()[i]).epsilon(1e-6));
  for (std::size_t n = 0; n < file.size(); n += n < 300 ? 1 : 7) {
    INFO("after ", n, " of ", file.size(), " bytes");
    test::write(folder / "cut", file.substr(0, n));
    CHECK(!test::message<Error>([&] { load(other, folder / "cut"); }).empty());
  }
}
