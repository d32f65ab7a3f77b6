#include <cmath>

#include <rwkv/io/load.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/models/v5.hpp>
#include <rwkv/models/v6.hpp>
#include <rwkv/models/v7.hpp>
#include <rwkv/ops/cross_entropy.hpp>

#include <doctest/doctest.h>

#include "logits_of.hpp"

using namespace rwkv;

namespace {

/// The models of golden/small_model.py.
struct Rwkv4 {
  using Net = v4::Model<19, 8, 2, 24>;
  static constexpr const char* name = "rwkv4";
  static constexpr double in_float = 1e-5;
};
template <v5::Kind Of>
struct Rwkv5 {
  using Net = v5::Model<19, 8, 2, 4, Of, 12>;
  static constexpr const char* name = Of == v5::Kind::v5_0 ? "rwkv5_0" : Of == v5::Kind::v5_1 ? "rwkv5_1" : "rwkv5_2";
  static constexpr double in_float = 6e-5;  // weights that are off by half an epsilon change logits by up to 2.8e-5
};
using Rwkv5_0 = Rwkv5<v5::Kind::v5_0>;
using Rwkv5_1 = Rwkv5<v5::Kind::v5_1>;
using Rwkv5_2 = Rwkv5<v5::Kind::v5_2>;
struct Rwkv6 {
  using Net = v6::Model<19, 8, 2, 4, 3, 2, 12>;
  static constexpr const char* name = "rwkv6";
  static constexpr double in_float = 1e-5;
};
struct Rwkv7 {
  using Net = v7::Model<19, 8, 2, 4, 3, 2, 4, 5, 12>;
  static constexpr const char* name = "rwkv7";
  static constexpr double in_float = 1e-5;
};
constexpr Seq seq{2, 35};

template <class Golden>
std::string file(const char* end) {
  return RWKV_TESTS_DIR "/golden/" + std::string(Golden::name) + end;
}
/// The tokens that a model reads, or from the second on, those it should have said.
std::vector<std::int32_t> tokens(const TensorSource& expected, int from) {
  std::vector<std::int32_t> all(seq.batch * (seq.time + 1)), some;
  expected.read("tokens", std::vector<dim_t>{seq.batch, seq.time + 1}, std::span(all));
  for (dim_t b = 0; b < seq.batch; ++b)
    some.insert(some.end(), &all[b * (seq.time + 1) + from], &all[b * (seq.time + 1) + from] + seq.time);
  return some;
}

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
