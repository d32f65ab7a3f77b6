#include <rwkv/io/bare_names.hpp>
#include <rwkv/io/name_pattern.hpp>

#include <doctest/doctest.h>

using namespace rwkv;

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

TEST_CASE("a block's number stands after the first dot") {
  CHECK(block_number("blocks.12.att.key.weight") == 12);
  CHECK(block_number("blocks.0") == 0);
  CHECK(block_number("emb.weight") == 0);
  CHECK(block_number("blocks.99999999999999999999") == 1'000'000);
}

TEST_CASE("what wrappers of modules put before a name is no part of it") {
  CHECK(bare_name("module.model.emb.weight") == "emb.weight");
  CHECK(bare_name("_forward_module._orig_mod.blocks.0.ln1.bias") == "blocks.0.ln1.bias");
  CHECK(bare_name("base_model.model.rwkv7.head.weight") == "head.weight");
  CHECK(bare_name("emb.weight") == "emb.weight");
  CHECK(bare_name("model.") == "model.");
}
