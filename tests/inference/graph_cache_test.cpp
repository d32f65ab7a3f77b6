#include <doctest/doctest.h>

#include <rwkv/inference/generator.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/v1.hpp>
#include <rwkv/models/v4.hpp>

#include "taped.hpp"

// What is recorded once must serve for every token: nothing that a launch is given may depend on what was read before.
using namespace rwkv;
using test::Taped;

namespace {
using Rwkv = v4::Model<256, 16, 2>;
using Gpt2 = gpt2::Model<256, 16, 2, 2, 256>;
using Early = v1::Model<256, 16, 2, 2, 16, 32, 256>;
int played() {
  return Taped<float>::Record::played;
}
template <class Net, class B>
void stir(Model<Net, B>& model) {  // away from the zeros of the initial values
  auto host = model.params.download();
  for (std::size_t i = 0; i < host.size(); ++i) host[i] += typename B::scalar(0.2 * Random{5}.normals(i)[0]);
  B::upload(model.params.data(), host.data(), model.params.size());
}
std::string prompt(dim_t length) {
  std::string text;
  for (dim_t i = 0; i < length; ++i) text += char('a' + i * 7 % 26);
  return text;
}
double farthest(const auto& a, const auto& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, double(std::abs(a[i] - b[i])));
  return most;
}
}  // namespace

TEST_CASE_TEMPLATE("a step that was recorded writes what one writes that was not", Net, Rwkv, Gpt2) {
  Model<Net, Taped<float>> model;
  Model<Net> plain;
  stir(model), stir(plain);
  Generator recorded(model, SamplerConfig{.seed = 3});
  Generator made(plain, SamplerConfig{.seed = 3});
  const int before = played();
  const std::string text = prompt(Decoder<Net>::chunk + 23);
  recorded.prefill(text), made.prefill(text);
  CHECK(played() == before);  // the first stretch may allocate memory, the rest has a length of its own
  CHECK(farthest(recorded.logits(), made.logits()) < 1e-4);
  CHECK(recorded("", 30) == made("", 30));
  CHECK(played() - before == 29);
}

TEST_CASE("whole stretches are recorded, whatever is read between them") {
  Model<Rwkv, Taped<float>> model;
  Model<Rwkv> plain;
  stir(model), stir(plain);
  Decoder recorded(model);
  Decoder made(plain);
  const int before = played();
  constexpr dim_t chunk = Decoder<Rwkv>::chunk;
  for (const dim_t length : {dim_t{9}, 2 * chunk + 30, chunk, dim_t{1}, chunk}) {
    const auto ids = Tokenizer().encode(prompt(length));
    CHECK(farthest(recorded.prefill(ids), made.prefill(ids)) < 1e-4);
  }
  CHECK(played() - before == 3);
}

TEST_CASE("where memory has moved, a step is recorded anew") {
  Model<Rwkv, Taped<float>> model;
  stir(model);
  Decoder decoder(model), other(model);
  const auto read = [](auto& by, std::string_view text) {
    for (const std::int32_t id : Tokenizer().encode(text)) by.feed(id);
    return std::vector<float>(by.logits().begin(), by.logits().end());
  };
  read(decoder, "some tokens"), read(other, "a few more tokens");
  const auto state = decoder.state();
  const auto expected = read(decoder, "!!!");
  int before = played();
  other.set_state(state);  // in the memory that was there
  CHECK(read(other, "!!!") == expected);
  CHECK(played() - before == 3);

  const auto params = model.params;  // a copy: the one that is put in its place lies elsewhere
  stir(model);
  other.set_state(state);
  CHECK(read(other, "!!!") != expected);
  model.params = params;
  other.set_state(state);
  before = played();
  CHECK(read(other, "!!!") == expected);
  CHECK(played() - before == 2);

  auto copy = other;
  before = played();
  CHECK(read(copy, "!!!") == read(other, "!!!"));
  CHECK(played() - before == 2 + 3);
}

TEST_CASE("a model that waits for its machine is not recorded, and writes all the same") {
  Model<Early, Taped<float>> model;
  Model<Early> plain;
  stir(model), stir(plain);
  Generator writer(model, SamplerConfig{.seed = 3});
  Generator made(plain, SamplerConfig{.seed = 3});
  const int before = played();
  CHECK(writer("a prompt", 20) == made("a prompt", 20));
  CHECK(played() == before);
}

TEST_CASE("calls that fail only while they are recorded are made one by one") {
  GraphCache<Taped<float>> cache;
  int made = 0;
  const int before = played();
  for (int time = 0; time < 3; ++time)
    cache({&made}, [&] {
      if (++made == 2) throw Error("no room for a graph");  // the second time is the recording
    });
  CHECK(made == 4);
  CHECK(played() == before);
  const auto broken = [] { throw Error("broken"); };
  CHECK_THROWS_WITH(cache({&cache}, broken), "broken");
  CHECK_THROWS_WITH(cache({&cache}, broken), "broken");
}
