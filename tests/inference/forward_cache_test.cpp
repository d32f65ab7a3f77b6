#include <doctest/doctest.h>

#include <rwkv/core/token_buffer.hpp>
#include <rwkv/inference/forward_cache.hpp>
#include <rwkv/models/families.hpp>

using namespace rwkv;

namespace {
template <class Net>
Model<Net> lively() {  // away from the zeros of the initial values
  Model<Net> model(1);
  for (dim_t i = 0; i < model.params.size(); ++i)
    model.params.data()[i] += float(0.2 * Random{5}.normals(std::uint64_t(i))[0]);
  return model;
}
template <class Net>
dim_t numbers(Seq seq) {
  ForwardCache<Net, Cpu<float>> cache;
  std::vector<std::pair<const void*, dim_t>> ranges;
  for_each_leaf([&](auto&, auto&, auto& leaf) { ranges.emplace_back(leaf.data, leaf.size()); }, cache.of(seq));
  std::sort(ranges.begin(), ranges.end());
  ranges.erase(std::unique(ranges.begin(), ranges.end(), [](auto& a, auto& b) { return a.first == b.first; }),
               ranges.end());
  dim_t all = 0;
  for (auto& [data, size] : ranges) all += size;
  return all;
}
}  // namespace

TEST_CASE_TEMPLATE("blocks that take turns with memory give what blocks with memory of their own do", Net,
                   v1::Model<40, 16, 5, 2, 16, 32, 256>, v4::Model<40, 16, 5>, v5::Model<40, 16, 5, 8>,
                   v6::Model<40, 16, 5, 8>, v7::Model<40, 16, 6, 8>, gpt2::Model<40, 16, 5, 2, 64>) {
  using B = Cpu<float>;
  const auto model = lively<Net>();
  Context<B> context;
  context.needs_backward = false;
  auto own_state = Model<Net>::fresh_state(2), state = own_state;
  ForwardCache<Net, B> turns;
  TokenBuffer<B> buffer;
  std::uint64_t seed = 0;
  for (const dim_t time : {7, 20, 1, 20}) {
    const Seq seq{2, time};
    std::vector<std::int32_t> ids(std::size_t(seq.tokens()));
    for (auto& id : ids) id = std::int32_t(Random{7}.below(40, seed++));
    const auto tokens = buffer(ids, seq);
    Owned<B, typename Model<Net>::Cache> own(seq);
    const auto expected = Net::forward(context, model.params, tokens, own.view(), own_state.view());
    const auto found = Net::forward(context, model.params, tokens, turns.of(seq), state.view());
    REQUIRE(found.seq == seq);
    CHECK(std::equal(expected.data, expected.data + expected.size(), found.data));
    CHECK(state == own_state);
  }
}

TEST_CASE("depth takes no memory") {
  CHECK(numbers<v4::Model<40, 16, 3>>({2, 9}) == numbers<v4::Model<40, 16, 12>>({2, 9}));
  CHECK(numbers<v7::Model<40, 16, 4, 8>>({2, 9}) == numbers<v7::Model<40, 16, 12, 8>>({2, 9}));
}

TEST_CASE("sizes that cannot be counted are refused") {
  ForwardCache<v4::Model<40, 16, 3>, Cpu<float>> cache;
  CHECK_THROWS_AS(cache.of({dim_t{1} << 40, dim_t{1} << 15}), Error);
  CHECK_THROWS_AS(cache.of({0, 1}), Error);
  for (int again = 0; again < 2; ++again) CHECK_THROWS_AS(cache.of({dim_t{1} << 35, 1}), OutOfMemory);
  CHECK(cache.of({1, 2}).first.y.data != nullptr);
}

TEST_CASE("a stack of one keeps its memory to itself") {
  using Net = Sequential<Repeat<1, Linear<4, 4>>, Repeat<3, Sequential<Linear<4, 50>, Linear<50, 4>>>>;
  ForwardCache<Net, Cpu<float>> cache;
  std::vector<std::pair<const float*, const float*>> ranges;
  for_each_leaf([&](auto&, auto&, auto& leaf) { ranges.emplace_back(leaf.data, leaf.data + leaf.size()); },
                cache.of({2, 9}));
  REQUIRE(ranges.size() > 3);
  for (std::size_t i = 1; i < ranges.size(); ++i) CHECK(ranges[i].first >= ranges[0].second);
}
