// A property test of a layer of one's own: training, chunks and decoding agree, gradients are derivatives, on random
// shapes and numbers. RWKV_TEST_SEED=7 tries others.
#include <iostream>
#include <rwkv/testing/laws.hpp>

#include "leak.hpp"
using namespace rwkv;

int main() {
  const auto gradients = testing::check_gradients<example::Leak<6>>();
  const auto modes = testing::check_equivalence<example::Leak<6>, Cpu<float>>({.cases = 30});
  const auto all = testing::check_laws<Residual<LayerNorm<12>, example::Leak<12>>>();
  std::cout << gradients << '\n' << modes << '\n' << all << '\n';
  return gradients && modes && all ? 0 : 1;
}
