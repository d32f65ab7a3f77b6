#include "laws.hpp"

#include <rwkv/layers/recompute.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/gpt2_study.hpp>
#include <rwkv/models/v1.hpp>
#include <rwkv/models/v4.hpp>

using namespace rwkv;

namespace {
/// The same net with and without its activations: Recompute must not change a bit.
template <template <class...> class Wrap>
struct Net : Sequential<Named<"emb", Embedding<laws::vocabulary, 12>>, Named<"blocks", Repeat<2, Wrap<v4::Block<12>>>>,
                        Named<"head", Linear<12, laws::vocabulary>>> {};
/// Draws its dropout twice, forwards and on the way back: the same.
struct DroppedAgain : Sequential<Recompute<gpt2::study::Block<12, 2, 256, 20>>, Dropout<12, 40>> {};
}  // namespace

// A new version's block and model are one line here.
#define MODELS                                                                \
  v4::Block<16>, Recompute<v4::Block<8>>, v4::Model<laws::vocabulary, 12, 2>, \
      v1::Model<laws::vocabulary, 8, 2, 2, 4, 6, 256>, gpt2::Block<8, 2, 20>, \
      gpt2::Model<laws::vocabulary, 12, 2, 3, 256>, gpt2::study::Model<laws::vocabulary, 12, 2, 6, 256>
// Of those that drop in training.
#define DROPPING gpt2::Model<laws::vocabulary, 12, 1, 3, 256, 10>, DroppedAgain

TEST_CASE_TEMPLATE("blocks and models keep the laws", L, MODELS) {
  laws::hold<L>();
}
TEST_CASE_TEMPLATE("transformers keep the laws in training, where they drop", L, DROPPING) {
  laws::hold<L>({.bounded = true, .dropout = true, .vocabulary = laws::vocabulary});
}

TEST_CASE("recomputing changes memory, not a bit of the result") {
  using B = Cpu<float>;
  using Plain = Net<Sequential>;
  using Lean = Net<Recompute>;
  static_assert(cache_units<Lean>({8, 256}) < cache_units<Plain>({8, 256}) / 4);
  using One = testing::LayerRun<Plain, B>;
  using Other = testing::LayerRun<Lean, B>;
  const testing::Options options{.vocabulary = laws::vocabulary};
  const testing::Case c{7, {2, 40}, {40}};
  auto plain = One::operands(c, options);
  auto lean = Other::operands(c, options);
  CHECK(lean.params.download() == plain.params.download());
  auto a = One::both_ways(plain);
  auto b = Other::both_ways(lean);
  CHECK(testing::numbers(a.y) == testing::numbers(b.y));
  CHECK(a.dparams.download() == b.dparams.download());
  CHECK(a.state.download() == b.state.download());
  CHECK(a.dstate.download() == b.dstate.download());
}
