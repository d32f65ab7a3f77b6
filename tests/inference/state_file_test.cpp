#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include <rwkv/inference/generator.hpp>
#include <rwkv/inference/state_file.hpp>
#include <rwkv/io/safetensors.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/models/v6.hpp>
#include <rwkv/models/v7.hpp>

#include "../io/folder.hpp"
#include "lively.hpp"

using namespace rwkv;

namespace {
using Rwkv = v4::Model<64, 16, 2>;
using Gpt2 = gpt2::Model<64, 16, 2, 2, 32>;
struct Six {
  using Net = v6::Model<19, 8, 2, 4, 3, 2, 12>;
  static constexpr const char* version = "6";
};
struct Seven {
  using Net = v7::Model<19, 8, 2, 4, 3, 2, 4, 5, 12>;
  static constexpr const char* version = "7";
};
std::string golden(const std::string& name) {
  return RWKV_TESTS_DIR "/golden/" + name + ".safetensors";
}
}  // namespace

TEST_CASE_TEMPLATE("a saved state goes on as the decoder that was saved", Net, Rwkv, Gpt2, Six::Net, Seven::Net) {
  const test::Folder folder;
  const std::string path = folder / "prompt.state";
  const auto model = lively<Net>();
  Decoder decoder(model, 2);
  Tokens prompt = tokens(80, 1);  // past the end of GPT-2's context
  for (auto& id : prompt) id %= 19;
  decoder.prefill(prompt);
  save_state(path, decoder, {{"prompt", "of 80 tokens"}});
  Decoder other(model, 2);
  CHECK(load_state(path, other).at("prompt") == "of 80 tokens");
  CHECK(copy(other.logits()) == copy(decoder.logits()));
  const auto any = make_any_decoder(model, 2);
  load_state(path, *any);
  for (std::int32_t t = 0; t < 20; ++t) {
    const Tokens ids{t % 19, (t + 3) % 19};
    const auto expected = copy(decoder.feed(ids));
    CHECK(copy(other.feed(ids)) == expected);
    CHECK(copy(any->feed(ids)) == expected);
  }
  save_state(path, *any);
  load_state(path, other);
  CHECK(copy(other.logits()) == copy(any->logits()));
  any->reset();
  save_state(path, *any);
  load_state(path, other);
  CHECK(other.logits().empty());
  CHECK(other.state() == Model<Net>::fresh_state(2));
}

TEST_CASE("the state of another model, of other weights or another batch is refused, and nothing changes") {
  const test::Folder folder;
  const std::string path = folder / "a.state";
  const auto model = lively<Rwkv>();
  auto other = model;
  Decoder decoder(model);
  decoder.prefill(tokens(9, 1));
  save_state(path, decoder);
  Decoder same(other);
  CHECK_NOTHROW(load_state(path, same));  // equal weights
  other.params.data()[other.params.leaves().back().offset] += 1e-6f;
  Decoder changed(other), two(model, 2);
  changed.prefill(tokens(4, 2));
  const auto before = copy(changed.logits());
  const auto identity = [](const auto& m) { return identity_of(memory_of(m.params)); };
  CHECK(identity(model) != identity(other));
  CHECK(identity(model).starts_with(std::to_string(parameters<Rwkv>()) + " parameters, fingerprint "));
  CHECK_THROWS_WITH_AS(load_state(path, changed),
                       (path + ": expected a state of this model (" + identity(other) + "), found one of another (" +
                        identity(model) + "); open the model that it was saved with, or read the prompt again")
                           .c_str(),
                       Error);
  CHECK(copy(changed.logits()) == before);
  CHECK_THROWS_WITH_AS(
      load_state(path, two),
      (path + ": expected a state of 2 sequences, found one of 1; make the decoder with that batch").c_str(), Error);
  save(model, path);
  CHECK_THROWS_WITH_AS(load_state(path, decoder),
                       (path + ": expected a state that save_state wrote, or nothing but blocks.N.att.time_state, "
                               "found neither; a model is read by open or load")
                           .c_str(),
                       Error);
}

TEST_CASE("damaged states are refused, and nothing changes") {
  const test::Folder folder;
  const std::string path = folder / "a.state", bad = folder / "bad.state";
  const auto model = lively<Gpt2>();
  Decoder decoder(model);
  decoder.prefill(tokens(9, 1));
  save_state(path, decoder);
  const auto before = copy(decoder.logits());
  const std::string whole = test::read(path);
  for (std::size_t n = 0; n < whole.size(); n += n < 1500 ? 1 : 97) {
    test::write(bad, whole.substr(0, n));
    CHECK_THROWS_AS(load_state(bad, decoder), Error);
  }
  const auto with = [&](const std::string& name, auto values, std::vector<dim_t> shape) {
    const auto snapshot = decoder.snapshot();
    SafetensorsWriter writer;
    writer.metadata = {{"state_of", identity_of(memory_of(model.params))}, {"sequences", "1"}};
    write_bundle(writer, "state.", snapshot.state);
    if (!name.empty())
      writer.add(name, std::move(shape), std::span<const typename decltype(values)::value_type>(values));
    writer.write(bad);
    return test::message<Error>([&] { load_state(bad, decoder); });
  };
  CHECK(with("", Tokens{}, {}) ==
        bad +
            ": seen: expected at most 32 tokens of each of 1 sequences, found nothing of that name; save the state "
            "again");
  CHECK(with("seen", Tokens(8), {8, 1})
            .find(": expected the number of tokens that were read, 8, found 9; the file is "
                  "damaged, save the state again") != std::string::npos);
  CHECK(with("seen", Tokens(33), {33, 1}).find("found (33, 1)") != std::string::npos);
  CHECK(with("seen", Tokens{1, 64}, {2, 1}) ==
        bad + ": seen: expected tokens from 0 to 63, found 64; the file is damaged, save the state again");
  CHECK(with("logits", std::vector<float>(63), {1, 63}).find("logits: shape: expected (1, 64)") != std::string::npos);
  CHECK(with("logits", std::vector<float>(64, NAN), {1, 64}).find("logits: expected finite numbers, found NaN") !=
        std::string::npos);
  CHECK(with("state.more", Tokens{1}, {1}).find("state.more: expected nothing of that name") != std::string::npos);
  CHECK(copy(decoder.logits()) == before);
}

TEST_CASE_TEMPLATE("tuned states begin every sequence, see golden/time_state.py", Of, Six, Seven) {
  const std::string name = std::string("time_state") + Of::version;
  const SafetensorsFile expected(golden(name + "_expected"));
  Tokens ids(14);
  expected.read("tokens", std::vector<dim_t>{2, 7}, std::span(ids));
  std::vector<double> logits(2 * 7 * 19);
  expected.read("logits", std::vector<dim_t>{2, 7, 19}, std::span(logits));
  Model<typename Of::Net, Cpu<double>> model;
  load(model, golden("rwkv" + std::string(Of::version)));
  Decoder decoder(model, 2);
  decoder.prefill(ids);  // is forgotten
  SUBCASE("in PyTorch's own format") {
    load_state(RWKV_TESTS_DIR "/golden/" + name + ".pth", decoder);
  }
  SUBCASE("as safetensors") {
    load_state(golden(name), decoder);
  }
  CHECK(decoder.logits().empty());
  double farthest = 0;
  decoder.prefill(ids, [&](dim_t t, std::span<const float> found) {
    for (std::size_t b = 0; b < 2; ++b)
      for (std::size_t i = 0; i < 19; ++i)
        farthest = std::max(farthest, std::abs(double(found[b * 19 + i]) - logits[(b * 7 + std::size_t(t)) * 19 + i]));
  });
  CHECK(farthest < 2e-6);  // logits are floats
}

TEST_CASE("tuned states that do not fit are refused, and nothing changes") {
  const test::Folder folder;
  const std::string path = folder / "tuned.safetensors";
  const auto model = lively<Seven::Net>();
  const auto of_4 = lively<Rwkv>();
  Decoder decoder(model);
  Decoder four(of_4);
  decoder.feed(3);
  const auto before = decoder.state();
  const auto complaint = [&](dim_t blocks, std::vector<dim_t> shape, float number, auto& by) {
    std::vector<float> values(std::size_t(shape[0] * shape[1] * shape[2]), number);
    SafetensorsWriter writer;
    for (dim_t block = 0; block < blocks; ++block)
      writer.add("blocks." + std::to_string(block) + ".att.time_state", shape, std::span<const float>(values));
    writer.write(path);
    return test::message<Error>([&] { load_state(path, by); });
  };
  CHECK(complaint(2, {2, 4, 4}, 0.5f, decoder).empty());
  decoder.set_state(before);
  CHECK(complaint(1, {2, 4, 4}, 1, decoder) ==
        path + ": blocks.1.att.time_state: expected (2, 4, 4), found nothing of that name");
  CHECK(complaint(3, {2, 4, 4}, 1, decoder) == path +
                                                   ": expected a tuned state of 2 blocks, found 3; load it into a "
                                                   "model of the size that it was tuned with");
  CHECK(complaint(2, {2, 4, 5}, 1, decoder) ==
        path + ": blocks.0.att.time_state: shape: expected (2, 4, 4), found (2, 4, 5)");
  CHECK(complaint(2, {2, 4, 4}, NAN, decoder).find("expected finite numbers") != std::string::npos);
  CHECK(complaint(2, {2, 4, 4}, 1, four) ==
        path + ": holds a tuned state, which only models of RWKV-5 to 7 can begin with; found another");
  CHECK(decoder.state() == before);
}
