#include <cmath>

#include <rwkv/io/load.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/ops/cross_entropy.hpp>

#include <doctest/doctest.h>

#include "logits_of.hpp"

using namespace rwkv;

namespace {

using Net = v4::Model<19, 8, 2, 24>;
constexpr Seq seq{2, 35};
const std::string golden = RWKV_TESTS_DIR "/golden/rwkv4";

/// The tokens that a model reads, or from the second on, those it should have said.
std::vector<std::int32_t> tokens(const TensorSource& expected, int from) {
  std::vector<std::int32_t> all(seq.batch * (seq.time + 1)), some;
  expected.read("tokens", std::vector<dim_t>{seq.batch, seq.time + 1}, std::span(all));
  for (dim_t b = 0; b < seq.batch; ++b)
    some.insert(some.end(), &all[b * (seq.time + 1) + from], &all[b * (seq.time + 1) + from] + seq.time);
  return some;
}

}  // namespace

TEST_CASE_TEMPLATE("logits of an RWKV-4 are PyTorch's, see golden/rwkv4.py", T, float, double) {
  const SafetensorsFile expected(golden + "_expected.safetensors");
  std::vector<double> logits(seq.tokens() * 19);
  expected.read("logits", std::vector<dim_t>{seq.batch, seq.time, 19}, std::span(logits));
  Model<Net, Cpu<T>> model;
  load(model, golden + ".safetensors");
  for (const dim_t piece : {seq.time, dim_t(1), dim_t(16)})  // all at once, one by one, in pieces
    CHECK(test::distance(test::logits_of(model, tokens(expected, 0), seq, piece), logits) <
          (sizeof(T) == 4 ? 1e-5 : 1e-13));
}

TEST_CASE("loss and gradients of an RWKV-4 are PyTorch's, see golden/rwkv4.py") {
  using B = Cpu<double>;
  const SafetensorsFile expected(golden + "_expected.safetensors");
  const auto inputs = tokens(expected, 0), targets = tokens(expected, 1);
  Model<Net, B> model;
  load(model, golden + ".safetensors");
  Context<B> context;
  Owned<B, Net::Cache<B>> cache(seq);
  auto state = model.fresh_state(seq.batch), dstate = state;
  dstate.zero();
  Owned<B, Net::Params<B>> gradient, theirs;
  const TokenIds ids{inputs.data(), seq};
  const auto logits = Net::forward(context, model.params, ids, cache.view(), state.view());
  double loss = 0;
  expected.read("loss", {}, std::span(&loss, 1));
  CHECK(cross_entropy_backward<B>(context.scratch, logits, {targets.data(), seq}) ==
        doctest::Approx(loss).epsilon(1e-14));
  Net::backward(context, model.params, cache.view(), logits, ids, gradient.view(), dstate.view());
  read_bundle(expected, "gradient.", theirs);
  for (const Leaf& leaf : gradient.leaves()) {
    const std::span ours(gradient.data() + leaf.offset, std::size_t(leaf.size));
    CHECK_MESSAGE(test::distance(ours, std::span(theirs.data() + leaf.offset, std::size_t(leaf.size))) < 1e-13,
                  leaf.name);
  }
}
