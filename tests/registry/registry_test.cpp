#include <doctest/doctest.h>

#include <cmath>
#include <rwkv/io/layout_as_stored.hpp>
#include <rwkv/registry/open.hpp>
#include <rwkv/text/random_windows.hpp>

#include "../io/folder.hpp"
#include "own_net.hpp"

using namespace rwkv;

namespace {
std::string complaint(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}
bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("nets are found by family, size and vocabulary, and know their sizes") {
  CHECK(registered_nets().size() == 6);
  const RegisteredNet& small = find_net({"rwkv4", "16x2", 20});
  CHECK(small.type == "v4::Model<32, 16, 2>");
  CHECK(find_net({"rwkv4", "16x2", 33}).vocabulary == 64);
  const NetShape shape = small.shape();
  CHECK((shape.vocabulary == 32 && shape.width == 16 && shape.layers == 2 && shape.hidden == 64));
  CHECK(small.parameters == parameters<v4::Model<32, 16, 2>>());
  CHECK(small.summary({}, {1, 8}) == summary<v4::Model<32, 16, 2>>({1, 8}));
  CHECK(find_net({"gpt2", "64x1", 1}).context == 16);
  CHECK(find_net("test::OwnNet").family == nullptr);
}

TEST_CASE("what was not compiled in is answered with what was, and with the line to add") {
  const auto of = [](const NetQuery& q) { return complaint([&] { find_net(q); }); };
  CHECK(says(of({"rwkv4", "32x3", 10}), "size 32x3: expected one of 16x2, which this program was built with"));
  CHECK(says(of({"rwkv4", "32x3", 10}), "add \"v4::Model<10, 32, 3>\" to the list"));
  CHECK(says(of({"gpt2", "128x2", 10}), "add \"gpt2::Model<10, 128, 2, 2, 16>\""));
  CHECK(says(of({"rwkv4", "16x2", 65}), "know at most 64"));
  CHECK(says(of({"rwkv4", "16x2", 65}), "add \"v4::Model<65, 16, 2>\""));
  CHECK(says(of({"rwkv9", "16x2", 1}), "model rwkv9: this program has gpt2, rwkv1, rwkv4"));
  CHECK(says(of({"rwkv7", "768x12", 65536}),
             "model rwkv7: this program has gpt2, rwkv1, rwkv4; add \"v7::Model<65536, "));
  CHECK(says(of({"rwkv5", "128x2", 9}), "add \"v5::Model<9, 128, 2>\""));
  CHECK(says(of({"gpt2", "128x2", 10, 99}), "add \"gpt2::Model<10, 128, 2, 2, 99>\""));
  for (const char* size : {"", "x", "16", "0x2", "16x", "-1x2", "16x99999999999999999999", "9223372036854775807x1",
                           "1000001x1", "16x2,", "016x2", "+16x2", "16x2x2", " 16x2"})
    CHECK(says(of({"rwkv4", size, 1}), "size " + std::string(size) + ": expected width x layers"));
  CHECK(
      says(complaint([] { find_net("v4::Model<1, 2, 3>"); }), "v4::Model<1, 2, 3>: this program was built without it"));
}

TEST_CASE("what is asked for is shown short, and nothing in it is obeyed") {
  const std::string hostile = "\x1b[2J" + std::string(100'000, 'x');
  for (const std::string& message : {complaint([&] {
                                       find_net({hostile, "16x2", 1});
                                     }),
                                     complaint([&] {
                                       find_net({"rwkv4", hostile, 1});
                                     }),
                                     complaint([&] { find_net(hostile); }), complaint([&] { Machine::named(hostile); }),
                                     complaint([&] { Machine::named("cpu", hostile); })}) {
    CHECK(says(message, "\\x1B[2Jxxx"));
    CHECK(says(message, "... (100004 bytes)"));
    CHECK(message.size() < 600);
  }
}

TEST_CASE("sizes of tensors without numbers are no sizes of a net") {
  const test::Folder folder;
  SafetensorsWriter writer;
  const dim_t huge = dim_t(1) << 62;
  for (const char* name : {"transformer.wte.weight", "transformer.wpe.weight", "emb.weight", "blocks.0.ffn.key.weight",
                           "embedding.weight", "blocks.0.timemix.time_w", "blocks.0.channelmix.Key.weight"})
    writer.add(name, {0, huge}, std::span<const float>());
  writer.add("blocks.0.att.time_first", {0}, std::span<const float>());
  writer.write(folder / "a");
  CHECK(says(complaint([&] { open(folder / "a"); }), "found none that we know"));
}

TEST_CASE("a file opens as the net that fits it, with its metadata") {
  const test::Folder folder;
  Model<v4::Model<64, 16, 2>> saved(5);
  save(saved, folder / "model", {{"tokenizer", "bytes"}});
  const auto model = open(folder / "model");
  CHECK(model->net().type == "v4::Model<64, 16, 2>");
  CHECK(model->metadata().at("tokenizer") == "bytes");
  CHECK(model->bytes() == 4 * model->net().parameters);

  Decoder direct(saved);
  const auto any = model->decoder();
  for (const std::int32_t id : {3, 60, 7}) {
    const auto a = direct.feed(id), b = any->feed({&id, 1});
    CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  }

  Model<test::OwnNet> own(1);
  save(own, folder / "own");
  CHECK(open(folder / "own")->net().type == "test::OwnNet");
  CHECK(open(folder / "model", Machine::named("cpu", "bf16"))->bytes() == 2 * model->net().parameters);
}

TEST_CASE("a file of another net says what it holds") {
  const test::Folder folder;
  save(Model<v4::Model<64, 16, 3>>(), folder / "deeper");
  CHECK(
      says(complaint([&] { open(folder / "deeper"); }),
           "deeper: holds a v4::Model<64, 16, 3>, which this program was built without; add \"v4::Model<64, 16, 3>\""));
  save(Model<v1::Model<16, 8, 2, 2, 8, 8, 4>>(), folder / "one");
  CHECK(says(complaint([&] { open(folder / "one"); }), "holds a v1::Model<16, 8, 2, 2, 8, 8, 4>"));
  SafetensorsWriter writer;  // a tensor that the net does not have
  Model<v4::Model<64, 16, 2>> model;
  write_bundle(writer, "", model.params);
  const std::vector<float> one{1};
  writer.add("extra", {1}, std::span<const float>(one));
  writer.write(folder / "extra");
  CHECK(says(complaint([&] { open(folder / "extra"); }), "extra: expected nothing of that name"));
  save(Owned<Cpu<float>, Linear<2, 3>::Params<Cpu<float>>>(), folder / "none");
  CHECK(says(complaint([&] { open(folder / "none"); }), "expected the parameters of a model"));
}

TEST_CASE("a net that is missing is told by its family and sizes, of which its type can be made") {
  const auto missing = [](const auto& call) {
    try {
      call();
    } catch (const MissingNet& net) {
      return net.family->type(net.shape);
    }
    return std::string("nothing");
  };
  const test::Folder folder;
  save(Model<v4::Model<64, 16, 3, 20>>(), folder / "deeper");
  CHECK(missing([&] { open(folder / "deeper"); }) == "v4::Model<64, 16, 3, 20>");
  CHECK(missing([&] { find_net({"rwkv4", "32x3", 10}); }) == "v4::Model<10, 32, 3>");
  CHECK(missing([&] { find_net({"rwkv4", "16x2", 65}); }) == "v4::Model<65, 16, 2>");
  CHECK(missing([&] { find_net({"rwkv6", "64x3", 65}); }) == "v6::Model<65, 64, 3>");
}

TEST_CASE("nets with the same parameters are told apart by the name in the file") {
  const test::Folder folder;
  const RegisteredNet& relu = find_net("v1::Model<16, 8, 1, 2, 8, 8, 4, activation::Relu>");
  relu.make(relu, {}, 1)->save(folder / "named");
  CHECK(&open(folder / "named")->net() == &relu);
  CHECK(open(folder / "named")->metadata().at("net") == relu.type);
  save(Model<v1::Model<16, 8, 1, 2, 8, 8, 4>>(), folder / "unnamed");
  CHECK(says(complaint([&] { open(folder / "unnamed"); }),
             "fits several nets, v1::Model<16, 8, 1, 2, 8, 8, 4, activation::Relu>, v1::Model"));
}

TEST_CASE("a model chosen at run time trains as its type does") {
  const Corpus text =
      Corpus::of_text("abcdefghijklmnopqrstuvwxyz abcdefghij", Characters("abcdefghijklmnopqrstuvwxyz "));
  const Seq seq{2, 8};
  const TrainConfig config{.schedule = {.learning_rate = 1e-2}};
  const RegisteredNet& net = find_net({"rwkv4", "16x2", 27});
  const auto any = net.make(net, {}, 3);
  const auto erased = any->trainer(config, seq);
  Model<v4::Model<32, 16, 2>> model(3);
  Trainer trainer(model, config, seq);
  for (const auto& batch : RandomWindows(text, seq).first(5)) CHECK(erased->step(batch) == trainer.step(batch));
}

TEST_CASE("the matrices of an opened model are kept as was asked for, and then not trained") {
  const test::Folder folder;
  const RegisteredNet& net = find_net({"gpt2", "64x1", 1});
  const auto made = net.make(net, {}, 3);
  made->save(folder / "fp32");
  const auto own = open(folder / "fp32"), same = open(folder / "fp32", {}, {}, Weights::named("as-stored"));
  CHECK(same->bytes() == own->bytes());
  const auto stored = [](const AnyModel& model, Storage as) {
    const auto leaves = model.parameters().leaves;
    return std::ranges::count_if(leaves, [&](const Leaf& leaf) { return leaf.matrix && leaf.storage == as; });
  };
  const std::vector<std::int32_t> ids{3, 1, 4, 1, 5};
  const auto expected = own->decoder();
  expected->prefill(ids);
  const struct {
    const char* name;
    Storage storage;
    double allowed;
  } ways[] = {{"bf16", Storage::bf16, 1e-2}, {"q8_0", Storage::q8_0, 2e-2}, {"q5_0", Storage::q5_0, 0.1},
              {"q5_1", Storage::q5_1, 0.1},  {"q4_0", Storage::q4_0, 0.3},  {"q4_1", Storage::q4_1, 0.3}};
  for (const auto& way : ways) {
    INFO(way.name);
    const auto model = open(folder / "fp32", {}, {}, Weights::named(way.name));
    CHECK(stored(*model, way.storage) == stored(*own, Storage::f32));
    CHECK(model->bytes() < own->bytes() / 2 + 20'000);
    const auto decoder = model->decoder();
    decoder->prefill(ids);
    double most = 0, size = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      most = std::max(most, std::abs(double(decoder->logits()[i]) - double(expected->logits()[i])));
      size = std::max(size, std::abs(double(expected->logits()[i])));
    }
    CHECK(most > 0);
    CHECK(most < way.allowed * size);
    CHECK(says(complaint([&] { model->trainer({}, {1, 4}); }), std::string("stored as ") + name_of(way.storage)));
    CHECK(says(complaint([&] { model->scale_weights(2); }), std::string("stored as ") + name_of(way.storage)));
    if (block_of(way.storage) > 1)
      CHECK(says(complaint([&] { model->save(folder / "no"); }),
                 std::string("safetensors has no ") + name_of(way.storage)));
  }
  CHECK(says(complaint([] { Weights::named("q3"); }), "weights: expected one of own, as-stored, fp32, "));
  const auto narrow = find_net({"rwkv4", "16x2", 20}).storages({}, Weights::named("q8_0"));
  CHECK(narrow.count("blocks.0.att.key.weight") == 0);
  CHECK(narrow.count("blocks.0.ffn.value.weight") == 1);
  CHECK(narrow.count("emb.weight") == 0);
  using Net = v4::Model<32, 16, 2>;
  CHECK(says(complaint([] {
               Model<Net>(layout_of<Cpu<float>>({{"head.weight", Storage::q8_0}}));
             }),
             "head.weight: expected rows of whole blocks of 32 to store it as Q8_0, found rows of 16"));
}

TEST_CASE("matrices stay as a file stores them where that is asked for") {
  using Net = v4::Model<32, 16, 2>;
  const test::Folder folder;
  Model<Net, Cpu<bf16>> reduced(2);
  save(reduced, folder / "bf16");
  const auto source = open_source(folder / "bf16");
  Model<Net> kept(layout_as_stored<Net, Cpu<float>>(*source)), converted;
  load(kept, *source);
  load(converted, *source);
  CHECK(memory_of(kept.params).leaves[0].storage == Storage::bf16);
  CHECK(kept.params.size() < converted.params.size());
  Decoder a(kept), b(converted);
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 70; ++i) ids.push_back(i % 32);
  const auto x = a.prefill(ids), y = b.prefill(ids);
  CHECK(std::equal(x.begin(), x.end(), y.begin(), y.end()));
  CHECK(says(complaint([&] { Trainer(kept, TrainConfig{}, {1, 4}); }), "emb.weight"));
  CHECK(says(
      complaint([&] {
        Owned<Cpu<float>, LayerNorm<8>::Params<Cpu<float>>>({}, {.formats = {{"bias", &stored_as<Cpu<float>, bf16>}}});
      }),
      "bias: expected the name of a matrix"));

  Model<Net> full(2);
  save(full, folder / "fp32");
  const auto wide =
      open_source(folder / "fp32");  // float matrices beside bf16 activations, and bf16 ones beside double
  Model<Net, Cpu<bf16>> mixed(layout_as_stored<Net, Cpu<bf16>>(*wide));
  load(mixed, *wide);
  Model<Net, Cpu<double>> exact(layout_as_stored<Net, Cpu<double>>(*source)), as_double;
  load(exact, *source), load(as_double, *source);
  Decoder c(mixed);
  Decoder d(exact), e(as_double);
  c.prefill(ids);
  for (const float logit : c.logits()) CHECK(std::isfinite(logit));
  const auto u = d.prefill(ids), v = e.prefill(ids);
  CHECK(std::equal(u.begin(), u.end(), v.begin(), v.end()));
}
