#include <doctest/doctest.h>

#include <rwkv/layers/recompute.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/gpt2_study.hpp>
#include <rwkv/models/v1.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/precision.hpp>

#ifdef THRUST_DEVICE_SYSTEM  // compiled for rwkv::gpu
#include <rwkv/gpu.hpp>
#include <rwkv/testing/machines.hpp>
#endif

using namespace rwkv;

namespace {
constexpr dim_t words = 11;
}

// A layer that can be stored in bf16 is one line here.
#define LAYERS                                                                                                         \
  Linear<24, 8>, Affine<24, 8>, Gelu<24>, Relu<24>, PositionEmbedding<256, 12>,                                        \
      Tied<Embedding<words, 12>, LayerNorm<12>, Linear<12, words>>, LayerNorm<24>, Embedding<words, 12>,               \
      v4::TimeMix<16>, v4::TimeMix<8, 24, OverTime::scan>, v4::ChannelMix<16>, v4::Block<16>, Recompute<v4::Block<8>>, \
      v4::Model<words, 12, 2>, MultiHeadAttention<12, 3, 8>, gpt2::Model<words, 12, 2, 3, 256>,                        \
      gpt2::study::Model<words, 12, 2, 2, 256>, v1::Model<words, 12, 2, 2, 6, 12, 256>

TEST_CASE_TEMPLATE("in bf16 layers keep the laws, and differ from float by rounding", L, LAYERS) {
  const testing::Options options{.bounded = true, .vocabulary = words};
#ifdef THRUST_DEVICE_SYSTEM
  testing::expect(testing::check_short_laws<L, Gpu<bf16>>(options));
  testing::expect(testing::check_machines<L, Gpu<bf16>>(options));
#else
  testing::expect(testing::check_short_laws<L>(options));
#endif
}

TEST_CASE_TEMPLATE("in bf16 the same numbers drop as in float", L, Dropout<24, 40>,
                   MultiHeadAttention<12, 2, 8, gpt2::SeparateWeights<12>, 40>) {
  testing::expect(testing::check_precision<L>({.bounded = true, .dropout = true}));
}

TEST_CASE("what adds up over tokens is not shortened: 3000 gradients of 2^-9 beside one of 1") {
  using B = Cpu<bf16>;
  using L = Embedding<2, 16>;
  constexpr Seq seq{1, 3001};
  Context<B> ctx;
  Owned<B, L::Params<B>> params;
  Owned<B, L::Cache<B>> cache(seq);
  Owned<Accum<B>, L::Params<Accum<B>>> gradient;
  const std::vector<std::int32_t> ids(std::size_t(seq.time), 1);
  TokenBuffer<B> on_machine;
  Empty none;
  const auto y = L::forward(ctx, params, on_machine(ids, seq), cache.view(), none);
  for (dim_t i = 0; i < y.size(); ++i) y.data[i] = bf16(i < 16 ? 1 : 0x1p-9f);
  L::backward(ctx, params, cache.view(), y, on_machine(ids, seq), gradient.view(), none);
  for (dim_t c = 0; c < 16; ++c) CHECK(gradient.weight[16 + c] == 1 + 3000 * 0x1p-9f);
}

TEST_CASE("bf16 halves the memory of activations, and of weights where nothing is trained") {
  using Net = v4::Model<256, 64, 4>;
  const Seq seq{4, 128};
  const auto bytes = [&]<class B>(B) {
    return double(Owned<B, Net::Cache<B>>(seq).size()) * double(sizeof(typename B::scalar));
  };
  const double ratio = bytes(Cpu<bf16>()) / bytes(Cpu<float>());
  CHECK(ratio > 0.5);
  CHECK(ratio < 0.53);  // statistics and states stay in full length
  CHECK(Owned<Cpu<bf16>, Net::Params<Cpu<bf16>>>().size() == Owned<Cpu<float>, Net::Params<Cpu<float>>>().size());
}
