#pragma once
#include <rwkv/ops/gpu/attention.hpp>
#include "host_grid.hpp"

#include "run_in_blocks.hpp"

namespace attention {

template <class T>
constexpr double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;

/// Attention in blocks of threads against its definition.
template <class T, rwkv::dim_t H, rwkv::dim_t D, rwkv::dim_t W, class Drops = rwkv::KeepAll>
void check(rwkv::Seq seq, std::mt19937& random, Drops drops = {}, rwkv::dim_t most_before = 3 * W,
           double allowed = tolerance<T>) {
  INFO(H << " heads of " << D << ", window " << W << ", " << seq.batch << " sequences of " << seq.time);
  const auto p = random_problem<T, H, D, W>(seq, random, most_before);
  auto want = p.template as<double>();
  define(want, drops);
  check_same(run_in_blocks(p, drops), want, allowed);
}

}  // namespace attention
