#include <cmath>

#include <rwkv/ops/cross_entropy.hpp>

#include <doctest/doctest.h>

#include "golden.hpp"
#include "logits_of.hpp"

using namespace golden;

namespace {

template <class Golden, class T>
void check_logits(double allowed) {
  const SafetensorsFile expected(file<Golden>("_expected.safetensors"));
  std::vector<double> logits(seq.tokens() * 19);
  expected.read("logits", std::vector<dim_t>{seq.batch, seq.time, 19}, std::span(logits));
  Model<typename Golden::Net, Cpu<T>> model;
  load(model, file<Golden>(".safetensors"));
  for (const dim_t piece : {seq.time, dim_t(1), dim_t(16)})  // all at once, one by one, in pieces
    CHECK(test::distance(test::logits_of(model, tokens(expected, 0), seq, piece), logits) < allowed);
}

}  // namespace

TEST_CASE_TEMPLATE("logits of a small model are PyTorch's, see golden/small_model.py", Golden, Rwkv4, Rwkv5_0, Rwkv5_1,
                   Rwkv5_2, Rwkv6, Rwkv7) {
  check_logits<Golden, float>(Golden::in_float);
  check_logits<Golden, double>(1e-13);
}

TEST_CASE_TEMPLATE("its loss and gradients are PyTorch's", Golden, Rwkv4, Rwkv5_0, Rwkv5_1, Rwkv5_2, Rwkv6, Rwkv7) {
  using B = Cpu<double>;
  using Net = typename Golden::Net;
  const SafetensorsFile expected(file<Golden>("_expected.safetensors"));
  const auto inputs = tokens(expected, 0), targets = tokens(expected, 1);
  Model<Net, B> model;
  load(model, file<Golden>(".safetensors"));
  Context<B> context;
  Owned<B, typename Net::template Cache<B>> cache(seq);
  auto state = model.fresh_state(seq.batch), dstate = state;
  dstate.zero();
  Owned<B, typename Net::template Params<B>> gradient, theirs;
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
