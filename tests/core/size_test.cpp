#include <doctest/doctest.h>

#include <limits>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/core/owned.hpp>
#include <rwkv/core/token_buffer.hpp>

using namespace rwkv;
using detail::product;
using detail::sum;
using detail::uncountable;

namespace {
template <class B>
struct Bundle3 {
  Tensor<B, Batch, Time, 5> a;
  Tensor<B, Batch, Spans, 3> b;
  static constexpr void fields(auto&& f, auto&&... p) {
    f(Field{"a"}, p.a...);
    f(Field{"b"}, p.b...);
  }
};
using B = Cpu<float>;
constexpr dim_t most = std::numeric_limits<dim_t>::max();
}  // namespace

static_assert(product(6, 7) == 42 && product(0, uncountable) == 0 && product(uncountable, 0) == 0);
static_assert(product(dim_t{1} << 30, dim_t{1} << 29) == dim_t{1} << 59);
static_assert(product(dim_t{1} << 30, dim_t{1} << 30) == uncountable);
static_assert(product(dim_t{1} << 33, dim_t{1} << 31) == uncountable, "which is 0 in 64 bits");
static_assert(product(3, uncountable) == uncountable && product(uncountable, uncountable) == uncountable);
static_assert(sum(3, 4) == 7 && sum(uncountable, uncountable) == uncountable);
static_assert(elements<Bundle3<B>>({2, 33}) == 2 * 33 * 5 + 2 * 2 * 3 && bytes<Bundle3<B>>({2, 33}) == 4 * 342);
static_assert(elements<Bundle3<B>>({1, dim_t{1} << 58}) == uncountable);
static_assert(bytes<Bundle3<B>>({1, dim_t{1} << 56}) == uncountable);

TEST_CASE("sizes below their least are refused with what was found") {
  CHECK_THROWS_WITH_AS((Owned<B, Bundle3<B>>(Seq{2, -4})),
                       "Seq: expected a batch and a time of at least 0, found batch 2 and time -4; set both, as in "
                       "Seq{.batch = 8, .time = 64}",
                       Error);
  CHECK_THROWS_AS((Owned<B, Bundle3<B>>(Seq{-1, -4})), Error);
  CHECK_THROWS_AS((Owned<B, Bundle3<B>>(Seq{std::numeric_limits<dim_t>::min(), 1})), Error);
  CHECK_THROWS_WITH_AS(detail::expect_sizes({0, 1}, 1), doctest::Contains("at least 1, found batch 0 and time 1"),
                       Error);
  CHECK(Owned<B, Bundle3<B>>(Seq{0, 5}).size() == 0);
}

TEST_CASE("sizes that 64 bits cannot count are refused with what was found") {
  for (const Seq seq : {Seq{1, dim_t{1} << 62}, Seq{dim_t{1} << 32, dim_t{1} << 32}, Seq{most, most}, Seq{1, most},
                        Seq{most, 2}, Seq{1, dim_t{1} << 58}}) {
    const std::string words = "Seq: expected a batch and a context (time) whose memory 64 bits can count, found " +
                              std::to_string(seq.batch) + " and " + std::to_string(seq.time) + "; make them smaller";
    CHECK_THROWS_WITH_AS((Owned<B, Bundle3<B>>(seq)), words.c_str(), Error);
  }
  CHECK_THROWS_AS((Owned<B, Bundle3<B>>(Seq{1, dim_t{1} << 50})), OutOfMemory);  // countable, but in no machine
}

TEST_CASE("a buffer of tokens takes as many as its sizes say") {
  TokenBuffer<B> buffer;
  const std::vector<std::int32_t> ids{1, 2, 3, 4, 5, 6};
  CHECK(buffer(ids, {2, 3}).size() == 6);
  CHECK_THROWS_WITH_AS(buffer(ids, {2, 4}), "tokens: expected 2 x 4 of them, found 6", Error);
  CHECK_THROWS_AS(buffer(ids, {2, 2}), Error);
  CHECK_THROWS_AS(buffer({}, {dim_t{1} << 32, dim_t{1} << 32}), Error);
}
