#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include <rwkv/models/model.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/ops/cross_entropy.hpp>

using namespace rwkv;

namespace {

/// RWKV-4 whose recurrence goes over time as told.
template <OverTime How>
struct Block : Sequential<Residual<Named<"ln1", LayerNorm<16>>, Named<"att", v4::TimeMix<16, 16, How>>>,
                          Residual<Named<"ln2", LayerNorm<16>>, Named<"ffn", v4::ChannelMix<16>>>> {};
template <OverTime How>
struct Net : Sequential<Named<"emb", Embedding<29, 16>>, Named<"blocks", Repeat<2, Block<How>>>,
                        Named<"ln_out", LayerNorm<16>>, Named<"head", Linear<16, 29>>> {};

struct Result {
  double loss;
  std::vector<std::vector<double>> gradient;  // of every tensor
};

/// Loss and gradient over one sequence, from parameters that all nets here share.
template <OverTime How, class T>
Result train_once(dim_t time) {
  using B = Cpu<T>;
  const Seq seq{1, time};
  Model<Net<How>, B> model;
  const Random random{7};
  dim_t n = 0;
  for (const Leaf& leaf : model.params.leaves())
    for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i)
      model.params.data()[i] = T(float(model.params.data()[i]) + 0.2f * float(random.normals(std::uint64_t(n++))[0]));
  std::vector<std::int32_t> ids(std::size_t(time) + 1);
  for (std::size_t t = 0; t < ids.size(); ++t) ids[t] = std::int32_t(random.named("text").below(29, t / 3 + t % 3));
  Context<B> context;
  Owned<B, typename Net<How>::template Cache<B>> cache(seq);
  auto state = model.fresh_state(), dstate = state;
  dstate.zero();
  Owned<B, typename Net<How>::template Params<B>> gradient;
  const TokenIds inputs{ids.data(), seq}, targets{ids.data() + 1, seq};
  const auto logits = Net<How>::forward(context, model.params, inputs, cache.view(), state.view());
  const double loss = cross_entropy_backward<B>(context.scratch, logits, targets);
  Net<How>::backward(context, model.params, cache.view(), logits, inputs, gradient.view(), dstate.view());
  Result result{loss, {}};
  for (const Leaf& leaf : gradient.leaves())
    result.gradient.emplace_back(gradient.data() + leaf.offset, gradient.data() + leaf.offset + leaf.size);
  return result;
}

/// As a share of the loss, or of the largest number of the tensor.
double apart(const Result& a, const Result& b) {
  double most = std::abs(a.loss - b.loss) / std::abs(a.loss);
  for (std::size_t n = 0; n < a.gradient.size(); ++n) {
    double off = 0, largest = 0;
    for (std::size_t i = 0; i < a.gradient[n].size(); ++i)
      off = std::max(off, std::abs(a.gradient[n][i] - b.gradient[n][i])),
      largest = std::max(largest, std::abs(a.gradient[n][i]));
    most = std::max(most, off / largest);
  }
  return most;
}

}  // namespace

TEST_CASE("a long sequence has the loss and the gradients of the recurrence, token by token") {
  const char* text = std::getenv("RWKV_LONG_CONTEXT");  // by hand: 65536
  const dim_t time = text ? std::atol(text) : 2111;
  const auto exact = train_once<OverTime::sequential, double>(time);
  CHECK(exact.loss > 1);
  const double in_double = apart(exact, train_once<OverTime::scan, double>(time));
  const double walk = apart(exact, train_once<OverTime::sequential, float>(time));
  const double scan = apart(exact, train_once<OverTime::scan, float>(time));
  const double chosen = apart(exact, train_once<OverTime::automatic, float>(time));
  MESSAGE(time << " tokens, from the walk in double: scan in double " << in_double << "; in float walk " << walk
               << ", scan " << scan << ", chosen " << chosen);
  CHECK(in_double < 1e-12);
  CHECK(scan < 1e-5);
  CHECK(chosen < 1e-5);
}
