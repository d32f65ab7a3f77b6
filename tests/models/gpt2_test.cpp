#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <map>

#include <rwkv/inference/generator.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/gpt2_study.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/ops/cross_entropy.hpp>

using namespace rwkv;

// What is published: GPT-2 of 124 M, and both transformers of the study.
static_assert(parameters<gpt2::Model<50257, 768, 12, 12, 1024>>() == 124439808);
static_assert(parameters<gpt2::study::Model<56, 768, 12, 64, 256>>() == 85311032);
static_assert(parameters<gpt2::study::Model<27, 384, 8, 8, 256>>() == 14306331);
static_assert(state_units<gpt2::Model<96, 128, 4, 2, 256>>() == 4 * (2 * 256 * 128 + 1) + 1);
static_assert(flops_per_token<gpt2::Model<96, 128, 4, 2, 256>>() ==
              4 * (2 * 12 * 128 * 128 + 4 * 256 * 128) + 2 * 96 * 128);

namespace {
template <class Net>
std::string names() {
  Owned<Cpu<float>, typename Net::template Params<Cpu<float>>> params;
  std::string all;
  for (const Leaf& leaf : params.leaves()) all += leaf.name + (leaf.field.decays ? "* " : " ");
  return all;
}

template <class P>
double deviation(const P& params, const std::string& name) {
  double sum = 0, n = 0;
  for (const Leaf& leaf : params.leaves())
    if (leaf.name == name)
      for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i) sum += std::pow(params.data()[i], 2), ++n;
  return std::sqrt(sum / n);
}
}  // namespace

TEST_CASE("transformers have their checkpoints' names, and matrices decay (*)") {
  CHECK(names<gpt2::Model<7, 4, 1, 2, 8>>() ==
        "transformer.wte.weight* transformer.wpe.weight* transformer.h.0.ln_1.weight transformer.h.0.ln_1.bias "
        "transformer.h.0.attn.c_attn.weight* transformer.h.0.attn.c_attn.bias transformer.h.0.attn.c_proj.weight* "
        "transformer.h.0.attn.c_proj.bias transformer.h.0.ln_2.weight transformer.h.0.ln_2.bias "
        "transformer.h.0.mlp.c_fc.weight* transformer.h.0.mlp.c_fc.bias transformer.h.0.mlp.c_proj.weight* "
        "transformer.h.0.mlp.c_proj.bias transformer.ln_f.weight transformer.ln_f.bias ");
  CHECK(names<gpt2::study::Model<7, 4, 1, 2, 8>>() ==
        "token_embedding_table.weight* position_embedding_table.weight* blocks.0.ln1.weight blocks.0.ln1.bias "
        "blocks.0.sa.key.weight* blocks.0.sa.query.weight* blocks.0.sa.value.weight* blocks.0.sa.proj.weight* "
        "blocks.0.sa.proj.bias blocks.0.ln2.weight blocks.0.ln2.bias blocks.0.ffwd.net.0.weight* "
        "blocks.0.ffwd.net.0.bias blocks.0.ffwd.net.2.weight* blocks.0.ffwd.net.2.bias ln_f.weight ln_f.bias "
        "lm_head.weight* lm_head.bias ");
}

TEST_CASE("weights start at deviation 0.02, less where they add to the residual stream") {
  const Model<gpt2::Model<64, 64, 8, 1, 64>> model(3);
  CHECK(deviation(model.params, "transformer.wte.weight") / 0.02 == doctest::Approx(1).epsilon(0.03));
  CHECK(deviation(model.params, "transformer.wpe.weight") / 0.02 == doctest::Approx(1).epsilon(0.03));
  CHECK(deviation(model.params, "transformer.h.3.attn.c_attn.weight") / 0.02 == doctest::Approx(1).epsilon(0.03));
  CHECK(deviation(model.params, "transformer.h.3.mlp.c_fc.weight") / 0.02 == doctest::Approx(1).epsilon(0.03));
  CHECK(deviation(model.params, "transformer.h.3.attn.c_proj.weight") / 0.005 == doctest::Approx(1).epsilon(0.03));
  CHECK(deviation(model.params, "transformer.h.7.mlp.c_proj.weight") / 0.005 == doctest::Approx(1).epsilon(0.03));
  CHECK(deviation(model.params, "transformer.h.7.mlp.c_proj.bias") == 0);
}

TEST_CASE("loss and gradients are PyTorch's, see golden/gpt2.py") {
  std::ifstream file(RWKV_TESTS_DIR "/golden/gpt2.txt");
  REQUIRE(file);
  std::map<std::string, std::vector<double>> golden;
  for (std::string name; file >> name;) {
    std::size_t n = 0;
    file >> n;
    golden[name].resize(n);
    for (double& x : golden[name]) file >> x;
  }
  using B = Cpu<double>;
  using Net = gpt2::Model<11, 8, 2, 2, 12>;
  constexpr Seq seq{2, 9};
  Model<Net, B> model;
  for (const Leaf& leaf : model.params.leaves()) {
    REQUIRE_MESSAGE(dim_t(golden[leaf.name].size()) == leaf.size, leaf.name);
    std::copy(golden[leaf.name].begin(), golden[leaf.name].end(), model.params.data() + leaf.offset);
  }
  std::vector<std::int32_t> inputs, targets;
  for (int b = 0; b < 2; ++b)
    for (int t = 0; t < 9; ++t) {
      inputs.push_back(std::int32_t(golden["tokens"][std::size_t(b * 10 + t)]));
      targets.push_back(std::int32_t(golden["tokens"][std::size_t(b * 10 + t + 1)]));
    }
  Context<B> context;
  Owned<B, Net::Cache<B>> cache(seq);
  auto state = model.fresh_state(2), dstate = state;
  dstate.zero();
  Owned<B, Net::Params<B>> gradient;
  const TokenIds ids{inputs.data(), seq};
  const auto logits = Net::forward(context, model.params, ids, cache.view(), state.view());
  const double loss = cross_entropy_backward<B>(context.scratch, logits, {targets.data(), seq});
  CHECK(loss == doctest::Approx(golden["loss"][0]).epsilon(1e-11));
  Net::backward(context, model.params, cache.view(), logits, ids, gradient.view(), dstate.view());
  int compared = 0;
  for (const Leaf& leaf : gradient.leaves())
    if (const auto found = golden.find("d:" + leaf.name); found != golden.end()) {
      double worst = 0;
      for (dim_t i = 0; i < leaf.size; ++i)
        worst = std::max(worst, std::abs(gradient.data()[leaf.offset + i] - found->second[std::size_t(i)]));
      CHECK_MESSAGE(worst < 1e-11, leaf.name);
      ++compared;
    }
  CHECK(compared == 17);
}

TEST_CASE("a context that is full is refused by the model, and begun anew by the generator") {
  using Net = gpt2::Model<256, 8, 1, 2, 16>;
  Model<Net> model(1);
  Context<Cpu<float>> context;
  const Seq seq{1, 9};
  Owned<Cpu<float>, Net::Cache<Cpu<float>>> cache(seq);
  auto state = model.fresh_state();
  const std::vector<std::int32_t> ids(9, 65);
  const auto read = [&] { Net::forward(context, model.params, {ids.data(), seq}, cache.view(), state.view()); };
  read();
  CHECK_THROWS_WITH_AS(read(),
                       "the context is full: the model has positions for 16 tokens, 9 were read, 9 more cannot be; "
                       "begin anew with a fresh state, use shorter sequences, or a model with more positions",
                       Error);

  Generator all(model, SamplerConfig{.temperature = 0}), part(model, SamplerConfig{.temperature = 0});
  all.prefill("abcdefghijklmnopqrstuvwxyz");
  part.prefill("qrstuvwxyz");  // what is left after the context was full: half of 16, then what followed
  CHECK(std::vector<float>(all.logits().begin(), all.logits().end()) ==
        std::vector<float>(part.logits().begin(), part.logits().end()));
  CHECK(all("", 100).size() == 100);
}

TEST_CASE("attention refuses a state of another batch in plain words") {
  using B = Cpu<float>;
  using Net = MultiHeadAttention<8, 2, 16>;
  Model<Net, B> model;
  Context<B> context;
  const Seq seq{3, 2};
  Owned<B, Net::Cache<B>> cache(seq);
  auto state = model.fresh_state(2);
  std::vector<float> x(3 * 2 * 8);
  const auto read = [&] {
    Net::forward(context, model.params, TensorOf<B, Net::In>{x.data(), seq}, cache.view(), state.view());
  };
  CHECK_THROWS_WITH_AS(read(),
                       "MultiHeadAttention: expected a state of 3 sequences, found one of 2; make it with "
                       "fresh_state(3)",
                       Error);
}
