#include <doctest/doctest.h>

#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/ops/cross_entropy.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/machines.hpp>
#include <rwkv/testing/precision.hpp>

#include "host_grid.hpp"

// Kernels in blocks of threads whose numbers are stored in bf16.
using namespace rwkv;
using test::HostGrid;

TEST_CASE_TEMPLATE("in bf16, wider than a block, kernels in blocks agree with the portable ones, and with float", L,
                   LayerNorm<300>, Embedding<5, 300>) {
  const testing::Options options{.cases = 4, .bounded = true, .vocabulary = 5};
  testing::expect(testing::check_machines<L, HostGrid<bf16>>(options));
  testing::expect(testing::check_precision<L, HostGrid<bf16>>(options));
}

TEST_CASE_TEMPLATE("cross-entropy of bf16 logits is computed in float, and its gradient rounded", B, Cpu<bf16>,
                   HostGrid<bf16>) {
  constexpr dim_t V = 37;
  constexpr Seq seq{2, 3};
  constexpr double u = std::numeric_limits<bf16>::epsilon() / 2;
  testing::Draw draw(3);
  for (const double sure : {0., 12.})  // by how much the target's logit stands out
    for (const double pull : {0., 1e-4}) {
      std::vector<std::int32_t> targets;
      for (dim_t i = 0; i < seq.tokens(); ++i) targets.push_back(std::int32_t(draw.below(V)));
      std::vector<bf16> z(std::size_t(seq.tokens() * V));
      for (bf16& x : z) x = bf16(float(draw.normal()));
      for (dim_t r = 0; r < seq.tokens(); ++r) store(z.data(), r * V + targets[std::size_t(r)], float(sure));
      std::vector<float> full(z.begin(), z.end());
      const TokenIds ids{targets.data(), seq};
      Scratch<B> scratch;
      Scratch<Cpu<float>> reference;
      const Tensor<B, Batch, Time, V> logits{z.data(), seq};
      const Tensor<Cpu<float>, Batch, Time, V> wanted{full.data(), seq};
      CHECK(cross_entropy<B>(scratch, logits, ids) ==
            doctest::Approx(cross_entropy<Cpu<float>>(reference, wanted, ids)).epsilon(1e-5));
      CHECK(cross_entropy_backward<B>(scratch, logits, ids, 1, pull) ==
            doctest::Approx(cross_entropy_backward<Cpu<float>>(reference, wanted, ids, 1, pull)).epsilon(1e-5));
      for (std::size_t i = 0; i < z.size(); ++i) {  // rounded at most twice, and once more where L2Wrap adds to it
        const double off = std::abs(double(z[i]) - double(full[i]));
        CHECK(off <= 3.1 * u * std::abs(double(full[i])));
      }
    }
}
