#pragma once
#include <cmath>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// What is reported of one step of training.
struct StepReport {
  dim_t step = 0, steps = 0;    ///< updates made, and of how many
  double loss = 0;              ///< nats per token of this step's batch
  double valid = std::nan("");  ///< the last validation loss
  bool validated = false;       ///< it was measured in this step
  double learning_rate = 0, gradient_norm = 0, tokens_per_second = 0;
  double seconds = 0;  ///< of training, before and after resuming
};

}  // namespace rwkv
