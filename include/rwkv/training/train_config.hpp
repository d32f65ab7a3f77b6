#pragma once
#include <cstdint>

#include <rwkv/training/adamw.hpp>
#include <rwkv/training/schedule.hpp>

namespace rwkv {

/// How a model is trained, with any optimizer.
template <class Optimizer>
struct BasicTrainConfig {
  Schedule schedule = {};
  Optimizer optimizer = {};
  double clip = 1;         ///< largest norm of the gradient; 0: no limit
  int accumulate = 1;      ///< batches whose gradients are averaged into one update
  double l2wrap = 0;       ///< of language models: the weight of L2Wrap; the official trainers have official_l2wrap
  bool carry = false;      ///< truncated back-propagation through time: a batch that continues starts from the state in
                           ///< which the one before ended
  std::uint64_t seed = 0;  ///< of dropout
  bool sharded = false;    ///< of several ranks, each keeps what the optimizer remembers for a share of the parameters
                           ///< only; numbers are the same
  bool bf16_gradients = false;  ///< of several ranks, each rounds its gradient to bf16 before it sends it, which takes
                                ///< half the bytes; the sums are in full precision

  /// Error unless every setting lies within its range, those of the schedule and the optimizer included.
  [[gnu::cold, gnu::noinline]] void check() const {
    schedule.check();
    if constexpr (requires { optimizer.check(); }) optimizer.check();
    const detail::Ranges ranges("TrainConfig");
    ranges.at_least_0("clip", clip);
    ranges.at_least(1, "accumulate", accumulate);
    ranges.at_least_0("l2wrap", l2wrap);
  }
};

/// TrainConfig{.schedule = {.learning_rate = 3e-3}}: with AdamW.
using TrainConfig = BasicTrainConfig<AdamW>;

}  // namespace rwkv
