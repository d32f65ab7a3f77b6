#pragma once
#include <doctest/doctest.h>

#include <cmath>

#include <rwkv/gpu.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/rwkv.hpp>

namespace test {
using namespace rwkv;
using Rwkv = v4::Model<256, 16, 2>;
using Gpt2 = gpt2::Model<256, 16, 2, 2, 32>;
inline constexpr Seq seq{3, 16};

inline Corpus text() {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
  return Corpus::of_text(words, Bytes());
}
/// A state is carried where positions do not run out.
template <class Net>
TrainConfig config() {
  return {.schedule = {.learning_rate = 3e-3},
          .accumulate = 2,
          .l2wrap = official_l2wrap,
          .carry = std::is_same_v<Net, Rwkv>};
}
inline double farthest(const auto& a, const auto& b) {
  double most = 0;
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(double(a[i]) - double(b[i])));
  return most;
}

/// What training from the same seed leaves on both machines, and how far apart the losses were on the way.
template <class Net, class T>
struct Both {
  Model<Net, Cpu<T>> home{7};
  Model<Net, Gpu<T>> there{7};
  Trainer<Net, Cpu<T>> at_home{home, config<Net>(), seq};
  Trainer<Net, Gpu<T>> over_there{there, config<Net>(), seq};
  double train(dim_t from, dim_t steps) {
    double off = 0;
    for (const auto& batch : ContiguousBatches(text(), seq).steps(from, steps))
      off = std::max(off, std::abs(at_home.step(batch) - over_there.step(batch)));
    return off;
  }
};
}  // namespace test
