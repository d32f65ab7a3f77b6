#include <doctest/doctest.h>

#include <rwkv/layers/sequential.hpp>
#include <rwkv/layers/v4/channel_mix.hpp>
#include <rwkv/layers/v4/time_mix.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/laws.hpp>

using namespace rwkv;

namespace {
/// A projection of rank 3: two matrices in the place of one.
template <dim_t I, dim_t O, const Init& How>
struct OfRank3 : Sequential<Named<"down", Linear<I, 3>>, Named<"up", Linear<3, O, How>>> {};

using Mix = v4::TimeMix<8, 12, OverTime::automatic, OfRank3>;
}  // namespace

TEST_CASE("another layer stands in the place of a projection") {
  testing::expect(testing::check_laws<Mix>());
  testing::expect(testing::check_laws<v4::ChannelMix<8, 12, OfRank3>>());
  std::string names;
  for (const Leaf& leaf : list_leaves<Cpu<float>, Mix::Params<Cpu<float>>>()) names += leaf.name + " ";
  CHECK(names.find("key.down.weight key.up.weight value.down.weight") != std::string::npos);
}
