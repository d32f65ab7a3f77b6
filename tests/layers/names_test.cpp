#include <doctest/doctest.h>

#include <rwkv/layers/activation.hpp>
#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/named.hpp>
#include <rwkv/layers/recompute.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/layers/tied.hpp>
#include <rwkv/models/model.hpp>

using namespace rwkv;

namespace {

using Some = Linear<8, 8>;

template <class Net>
std::string names() {
  std::string all;
  const Model<Net> model;
  for (const Leaf& leaf : model.params.leaves()) all += (all.empty() ? "" : " ") + leaf.name;
  return all;
}

/// Without parameters, but with a state.
struct Counter {
  using In = Shape<Batch, Time, 8>;
  using Out = In;
  static constexpr dim_t flops = 0;
  template <class B>
  using Params = Empty;
  template <class B>
  using Cache = Empty;
  template <class B>
  struct State {
    Tensor<B, Batch, 1> seen;
    static constexpr void fields(auto&& f, auto&&... s) { f(Field{"seen"}, s.seen...); }
  };
};

}  // namespace

TEST_CASE("layers without names are told apart by their places") {
  CHECK(names<Sequential<Embedding<9, 8>, Residual<Some>, Residual<Some>, Some>>() ==
        "0.weight 1.0.weight 2.0.weight 3.weight");
  CHECK(names<Sequential<Residual<Some>, Recompute<Residual<Some>>>>() == "0.0.weight 1.0.weight");
  CHECK(names<Sequential<Sequential<Some, Sequential<Some, Some>>, Some>>() ==
        "0.weight 1.0.weight 1.1.weight 1.weight");
  CHECK(names<Sequential<Some, Repeat<2, Some>>>() == "0.weight 1.0.weight 1.1.weight");
  CHECK(names<Repeat<2, Sequential<Residual<Some>, Residual<Some>>>>() ==
        "0.0.0.weight 0.1.0.weight 1.0.0.weight 1.1.0.weight");
  CHECK(names<Tied<Embedding<9, 8>, Repeat<2, Some>, Linear<8, 9>>>() == "0.weight 1.0.weight 1.1.weight");
  CHECK(names<Sequential<Residual<Named<"a", Some>>, Residual<Named<"a", Some>>>>() == "0.a.weight 1.a.weight");
}

TEST_CASE("composers are left out of names that are different without them") {
  CHECK(names<Sequential<Residual<Named<"a", Some>>, Residual<Named<"b", Some>>>>() == "a.weight b.weight");
  CHECK(names<Sequential<Residual<Some>, Some>>() == "0.weight 1.weight");
  CHECK(names<Sequential<Some, Repeat<2, Residual<Some>>>>() == "0.weight 0.0.weight 1.0.weight");
  CHECK(names<Sequential<Residual<Some, Some>, Named<"c", Some>>>() == "0.weight 1.weight c.weight");
  CHECK(names<Sequential<Residual<Relu<8>, Some>, Residual<Relu<8>>>>() == "1.weight");
  CHECK(names<Named<"a", Sequential<Residual<Some>, Residual<Some>>>>() == "0.0.weight 1.0.weight");
}

TEST_CASE("states are told apart where there are no parameters") {
  using Net = Sequential<Sequential<Some, Counter>, Sequential<Relu<8>, Counter>>;
  using B = Cpu<float>;
  const auto states = list_leaves<B, Net::State<B>>();
  CHECK(states[0].name + " " + states[1].name == "0.1.seen 1.1.seen");
  CHECK(list_leaves<B, Net::Params<B>>()[0].name == "0.weight");
}

TEST_CASE("two layers of the same kind start with different numbers") {
  const Model<Sequential<Embedding<9, 8>, Residual<Some>, Residual<Some>, Some>> model;
  const auto& leaves = model.params.leaves();
  const auto numbers = model.params.download();
  CHECK(numbers[std::size_t(leaves[1].offset)] != numbers[std::size_t(leaves[2].offset)]);
}

TEST_CASE("a model whose parameters have one name twice is refused before it is trained") {
  using Twice = Sequential<Named<"a", Some>, Named<"a", Some>>;
  CHECK_THROWS_WITH_AS(Model<Twice>(),
                       "two parameters are called \"a.weight\": give their fields, or layers by Named, different names",
                       Error);
}
