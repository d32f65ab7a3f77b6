#include <doctest/doctest.h>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/core/token_buffer.hpp>
#include <rwkv/models/v4.hpp>

using namespace rwkv;

TEST_CASE("what adds up over tokens is in full precision: 3000 gradients of 2^-9 beside one of 1") {
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
  CHECK(ratio < 0.53);  // statistics and states stay in full precision
  CHECK(Owned<Cpu<bf16>, Net::Params<Cpu<bf16>>>().size() == Owned<Cpu<float>, Net::Params<Cpu<float>>>().size());
}
