#include "laws.hpp"

#include <rwkv/layers/recompute.hpp>
#include <rwkv/models/v4.hpp>

using namespace rwkv;

namespace {
/// The same net with and without its activations: Recompute must not change a bit.
template <template <class...> class Wrap>
struct Net : Sequential<Named<"emb", Embedding<laws::vocabulary, 12>>, Named<"blocks", Repeat<2, Wrap<v4::Block<12>>>>,
                        Named<"head", Linear<12, laws::vocabulary>>> {};
}  // namespace

// A new version's block and model are one line here.
#define MODELS v4::Block<16>, Recompute<v4::Block<8>>, v4::Model<laws::vocabulary, 12, 2>

TEST_CASE_TEMPLATE("blocks and models keep the laws", L, MODELS) {
  laws::hold<L>();
}

TEST_CASE("recomputing changes memory, not a bit of the result") {
  using B = Cpu<float>;
  using Plain = Net<Sequential>;
  using Lean = Net<Recompute>;
  static_assert(cache_units<Lean>({8, 256}) < cache_units<Plain>({8, 256}) / 4);
  laws::Draw draw;
  const auto params = laws::Run<Plain, B>::random_params(draw);
  laws::Run<Lean, B>::Params same;
  B::copy(same.data(), params.data(), params.size());
  laws::Signal<B, Ids> x({2, 40}, draw);
  laws::Run<Plain, B>::Out weights({2, 40}, draw);
  laws::Run<Plain, B>::State start({2, 1});
  laws::Run<Lean, B>::State again({2, 1});
  start.reset(), again.reset();
  const auto a = laws::Run<Plain, B>::forward_backward(params, x, start, weights);
  const auto b = laws::Run<Lean, B>::forward_backward(same, x, again, weights);
  CHECK(a.y == b.y);
  CHECK(a.dparams.download() == b.dparams.download());
  CHECK(a.state.download() == b.state.download());
}
