#include <rwkv/io/detected_words.hpp>
#include <rwkv/io/open_source.hpp>
#include <rwkv/io/safetensors_writer.hpp>

#include "folder.hpp"

using namespace rwkv;

namespace {

const std::string golden = RWKV_TESTS_DIR "/golden/";

Detected with(const std::vector<std::string>& names, const std::string& like = "") {
  const test::Folder folder;
  const std::vector<float> one{1};
  SafetensorsWriter writer;
  for (const std::string& name : names) writer.add(name, {1}, std::span<const float>(one));
  const auto base = like.empty() ? nullptr : open_source(golden + like + ".safetensors");
  if (base)
    for (const TensorInfo& t : base->tensors())
      writer.add(t.name, t.dtype, t.shape, [&base, &t](std::uint64_t offset, std::span<std::byte> chunk) {
        std::memcpy(chunk.data(), base->bytes(t)->data() + offset, chunk.size());
      });
  writer.write(folder / "a");
  return detect(*open_source(folder / "a"));
}

}  // namespace

TEST_CASE("a file's version and sizes are told from its tensors") {
  const auto of = [](const char* name) { return model_words(detect(*open_source(golden + name + ".safetensors"))); };
  CHECK(of("rwkv4") == "RWKV-4: 2 layers of width 8, hidden width 24, vocabulary 19");
  CHECK(of("rwkv5_0") == "RWKV-5.0: 2 layers of width 8, 2 heads of 4, hidden width 12, vocabulary 19");
  CHECK(of("rwkv5_1") == "RWKV-5.1: 2 layers of width 8, 2 heads of 4, hidden width 12, vocabulary 19");
  CHECK(of("rwkv5_2") == "RWKV-5.2: 2 layers of width 8, 2 heads of 4, hidden width 12, vocabulary 19");
  CHECK(of("rwkv6") ==
        "RWKV-6: 2 layers of width 8, 2 heads of 4, hidden width 12, vocabulary 19, rank of mixes 3, rank of decays 2");
  CHECK(of("rwkv7") ==
        "RWKV-7: 2 layers of width 8, 2 heads of 4, hidden width 12, vocabulary 19, ranks w 3, a 2, v 4, g 5");
  CHECK(of("layouts/gpt2") == "GPT-2: 2 layers of width 8, vocabulary 11, context 6");
}

TEST_CASE("a file is described in words") {
  CHECK(words(detect(*open_source(golden + "layouts/gguf7.safetensors"))) ==
        "RWKV-7: 2 layers of width 8, 2 heads of 4, hidden width 12, vocabulary 19, ranks w 3, a 2, v 4, g 5\n"
        "layout: llama.cpp's names of version 7\n"
        "tensors: 62 F32\n"
        "unusual: blk.0.time_mix_v0.weight is there, and nothing reads it\n"
        "unusual: blk.0.time_mix_v1.weight is there, and nothing reads it\n"
        "unusual: blk.0.time_mix_v2.weight is there, and nothing reads it\n");
  CHECK(words(detect(*open_source(golden + "layouts/transformers5.safetensors")))
            .find("unusual: if its text makes no sense") != std::string::npos);
  const Detected none = with({"weight"});
  CHECK(!none.readable());
  CHECK(words(none) == "no model that we know\nlayout: names of its own\ntensors: 1 F32\n");
}

TEST_CASE("kinds that no model of ours reads are named, with the tensor that shows it") {
  const auto what = [](const std::vector<std::string>& names, const char* like = "") {
    const Detected found = with(names, like);
    CHECK(!found.readable());
    return found.instead;
  };
  CHECK(what({"blocks.0.ffn.s_emb.weight"}, "rwkv7") == "RWKV-7a, as its tensor \"blocks.0.ffn.s_emb.weight\" shows");
  CHECK(what({"blocks.0.ffn.s_emb.weight", "blocks.0.qkv.qq.weight"}, "rwkv7") ==
        "RWKV-7b, as its tensor \"blocks.0.qkv.qq.weight\" shows");
  CHECK(what({"blocks.0.ffn.enn.weight"}, "rwkv7").starts_with("RWKV-8 rc00, "));
  CHECK(what({"blocks.0.qkv.ennk.weight", "blocks.0.ffn.enn.weight"}, "rwkv7").starts_with("RWKV-8 rc00-hybrid, "));
  CHECK(what({"blocks.0.rosa.x_q"}, "rwkv7").starts_with("RWKV-8 with ROSA, "));
  CHECK(what({"blk.0.ffn_gate.weight", "blk.0.time_mix_w1.weight"}).starts_with("rwkv6qwen2, "));
  CHECK(what({"blk.0.ffn_gate.weight", "blk.0.time_mix_a1.weight"}).starts_with("arwkv7, "));
  CHECK(what({"model.layers.0.self_attn.time_maa_x"}).starts_with("rwkv6qwen2, "));
  CHECK(what({"model.layers.0.self_attn.r_k"}).starts_with("arwkv7, "));
  CHECK(what({"model.layers.0.self_attn.q_proj.weight"}).starts_with("a transformer, or a hybrid of one, "));
  CHECK(what({"base_model.model.blocks.0.att.key.lora_A.weight"}).starts_with("a LoRA"));
  CHECK(what({"blocks.0.att.key.lora_A"}, "rwkv6").starts_with("a LoRA"));
  CHECK(what({"blocks.0.att.time_state", "blocks.1.att.time_state"}).starts_with("initial states without their model"));
  CHECK(what({"emb.weight", "blocks.0.att.time_first", "blocks.0.ln1.weight", "head.weight"})
            .starts_with("a model without blocks.0.ln0"));
  CHECK(what({"blocks.0.att.time_mix"}).starts_with("RWKV-2 or older"));
}

TEST_CASE("what is missing, left over or of another shape is said") {
  CHECK(with({"extra"}, "rwkv7").faults == std::vector<std::string>{"extra belongs to no model of this version"});
  CHECK(with({"blocks.2.ln1.weight"}, "rwkv4").faults.size() == 18);  // a third block, of which nothing else is there
  CHECK(with({"blocks.99999999.ln1.weight"}, "rwkv4").faults ==
        std::vector<std::string>{"there are fewer tensors than blocks"});
  const Detected state = with({"blocks.0.att.time_state"}, "rwkv6");
  CHECK(state.faults == std::vector<std::string>{"blocks.0.att.time_state belongs to no model of this version"});
}
