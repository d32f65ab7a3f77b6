#include <cmath>

#include <rwkv/io/detected_words.hpp>
#include <rwkv/io/finite.hpp>
#include <rwkv/io/open_source.hpp>
#include <rwkv/io/safetensors_writer.hpp>

#include "folder.hpp"

using namespace rwkv;

namespace {

const std::string golden = RWKV_TESTS_DIR "/golden/";

std::vector<float> numbers(const TensorSource& source, const TensorInfo& t, std::size_t at_once = 1 << 20) {
  std::vector<float> all(*byte_size(Dtype::u8, t.shape));
  for (std::size_t first = 0; first < all.size(); first += at_once)
    source.read_numbers(t, first, std::span(all).subspan(first, std::min(at_once, all.size() - first)));
  return all;
}

/// Tensors of a file in another layout, as they are, but for what `change` says.
struct Changed {
  std::map<std::string, std::pair<std::vector<dim_t>, std::vector<float>>> tensors;
  Metadata metadata;
  explicit Changed(const std::string& path) {
    const auto file = open_source(path);
    metadata = file->metadata();
    for (const TensorInfo& t : file->tensors()) tensors[t.name] = {t.shape, numbers(*file, t)};
  }
  std::string write(const std::string& path) const {
    SafetensorsWriter writer;
    writer.metadata = metadata;
    for (const auto& [name, tensor] : tensors) writer.add(name, tensor.first, std::span<const float>(tensor.second));
    writer.write(path);
    return path;
  }
};
std::string complaint(const Changed& changed) {
  const test::Folder folder;
  return test::message<Error>([&] {
    const auto file = open_source(changed.write(folder / "a"));
    const OfficialSource source(*file);
    throw Error(fault_words(detect(*file)));
  });
}
bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a model is the same in every layout") {
  struct Case {
    const char *layout, *official, *words;
    double receptance;  // theirs times this
  };
  // the width of a head is 4: an eps of 4e-5 for 64e-5
  for (const Case& c : {Case{"fla", "rwkv7", "Hugging Face's names of flash-linear-attention", 4},
                        Case{"fla_stacked", "rwkv7", "Hugging Face's names of flash-linear-attention", 4},
                        Case{"published7", "rwkv7", "Hugging Face's official names of version 7", 4},
                        Case{"gguf7", "rwkv7", "llama.cpp's names of version 7", 1},
                        Case{"gguf6", "rwkv6", "llama.cpp's names of version 6", 1},
                        Case{"transformers5", "rwkv5_2", "names of Hugging Face's transformers", 1},
                        Case{"transformers6", "rwkv6", "names of Hugging Face's transformers", 1},
                        Case{"gpt2", "layouts/gpt2_official", "Hugging Face's names of GPT-2", 1},
                        Case{"../rwkv5_1", "rwkv5_1", "official names", 1}}) {
    INFO(c.layout);
    const auto theirs = open_source(golden + "layouts/" + c.layout + ".safetensors"),
               ours = open_source(golden + c.official + ".safetensors");
    const OfficialSource source(*theirs);
    CHECK(source.format() == c.words);
    CHECK(source.tensors().size() == ours->tensors().size());
    CHECK(detect(*theirs).readable());
    for (const TensorInfo& t : ours->tensors()) {
      INFO(t.name);
      const TensorInfo* found = source.find(t.name);
      REQUIRE(found != nullptr);
      CHECK(found->shape == t.shape);
      std::vector<float> expected = numbers(*ours, t);
      if (t.name.ends_with("receptance.weight"))
        for (float& x : expected) x *= float(c.receptance);
      if (t.name.ends_with("r_k"))
        for (float& x : expected) x /= float(c.receptance);
      for (const std::size_t at_once : {1u << 20, 7u, 1u}) CHECK(numbers(source, *found, at_once) == expected);
      std::vector<double> wide(expected.size());
      source.read_numbers(*found, 0, wide);
      CHECK(std::equal(wide.begin(), wide.end(), expected.begin()));
    }
    const OfficialSource again(static_cast<const TensorSource&>(source));  // what is official stays as it is
    for (const TensorInfo& t : source.tensors()) {
      const TensorInfo* same = again.find(t.name);
      REQUIRE(same != nullptr);
      CHECK(numbers(again, *same) == numbers(source, t));
    }
  }
}

TEST_CASE("what only gets another name keeps its bytes where they are") {
  const auto file = open_source(golden + "layouts/published7.safetensors");
  const OfficialSource source(*file);
  const auto bytes = [&](const char* ours) { return source.bytes(*source.find(ours)); };
  CHECK(bytes("emb.weight")->data() == file->bytes(*file->find("rwkv7.emb.weight"))->data());
  CHECK(!bytes("blocks.1.att.receptance.weight"));
  const auto stacked = open_source(golden + "layouts/fla_stacked.safetensors");
  const OfficialSource parts(*stacked);
  const auto all = stacked->bytes(*stacked->find("model.layers.1.attn.x_x"));
  CHECK(parts.bytes(*parts.find("blocks.1.att.x_k"))->data() == all->data() + 2 * 8 * sizeof(float));
}

TEST_CASE("prefixes of wrappers, and extents of one, come and go") {
  const test::Folder folder;
  const Changed official(golden + "rwkv7.safetensors");
  Changed wrapped = official;
  wrapped.tensors.clear();
  for (auto [name, tensor] : official.tensors) {
    if (tensor.first.size() == 3) tensor.first = {tensor.first[2]};
    wrapped.tensors["module.model." + name] = tensor;
  }
  const auto file = open_source(wrapped.write(folder / "a"));
  const OfficialSource source(*file);
  for (const auto& [name, tensor] : official.tensors) {
    const TensorInfo* t = source.find(name);
    REQUIRE(t != nullptr);
    CHECK(t->shape == tensor.first);
    CHECK(t->called == "module.model." + name);
    CHECK(source.in_file(name) == "module.model." + name);
  }
  Changed own = official;  // not the names of a model that we know
  own.tensors.clear();
  own.tensors["model.weight"] = {{1}, {1}};
  const auto other = open_source(own.write(folder / "b"));
  CHECK(OfficialSource(*other).find("model.weight") != nullptr);
}

TEST_CASE("a mangled layout is one plain error") {
  const Changed fla(golden + "layouts/fla.safetensors"), gguf(golden + "layouts/gguf7.safetensors"),
      gpt2(golden + "layouts/gpt2.safetensors");
  Changed changed = fla;
  changed.tensors.erase("model.layers.1.attn.r_proj.weight");
  CHECK(complaint(changed) == "blocks.1.att.receptance.weight is missing");
  changed = fla;
  changed.tensors["model.layers.1.attn.k_k"] = {{7}, std::vector<float>(7)};
  CHECK(complaint(changed) == "blocks.1.att.k_k: expected (1, 1, 8), found (1, 1, 7)");
  changed = fla;
  changed.tensors["blocks.1.ln1.weight"] = {{8}, std::vector<float>(8)};
  CHECK(
      says(complaint(changed),
           "a: model.layers.1.attn_norm.weight: expected one tensor for blocks.1.ln1.weight, found blocks.1.ln1.weight "
           "as well; two layouts are mixed: convert the model again"));
  changed = fla;
  changed.tensors["model.layers.1.attn.other"] = {{8}, std::vector<float>(8)};
  CHECK(complaint(changed) == "layers.1.attn.other belongs to no model of this version");
  changed = gguf;
  changed.tensors["blk.1.time_mix_lerp_fused.weight"] = {{5, 1, 1, 8}, std::vector<float>(40)};
  CHECK(says(complaint(changed),
             "blk.1.time_mix_lerp_fused.weight: shape: expected a first extent of 6, found (5, 1, 1, 8)"));
  changed = gguf;
  changed.metadata["rwkv7.wkv.head_size"] = "3";
  CHECK(says(complaint(changed), "blk.0.time_mix_r_k.weight: shape: expected heads of 3 each, found (8)"));
  changed = gguf;
  changed.metadata.clear();
  CHECK(says(complaint(changed), "blocks.0.att.r_k: expected (H, N), found (8)"));
  changed = gpt2;
  changed.tensors["lm_head.weight"].second[5] += 1;
  CHECK(says(complaint(changed), "lm_head.weight: expected the same numbers as in wte.weight, found others"));
}

TEST_CASE("numbers that a layout stores otherwise are finite or refused") {
  const test::Folder folder;
  Changed changed(golden + "layouts/gguf6.safetensors");
  changed.tensors["blk.1.time_mix_output.weight"].second[3] = 3e38f;
  const auto file = open_source(changed.write(folder / "a"));
  const OfficialSource source(*file);
  CHECK(first_nonfinite(source, *source.find("blocks.1.att.output.weight")) == 3);  // doubled, it is none
  CHECK(first_nonfinite(source, *source.find("blocks.0.att.output.weight")) == -1);
}
