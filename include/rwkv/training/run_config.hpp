#pragma once
#include <functional>
#include <string>

#include <rwkv/core/ranges.hpp>
#include <rwkv/io/tensor_info.hpp>
#include <rwkv/training/step_report.hpp>

namespace rwkv {

/// A training run with a folder: log.csv, model.safetensors (the parameters, for use) and resume.safetensors.
struct RunConfig {
  std::string folder = "run";
  dim_t steps = 1000;
  dim_t valid_every = 100, valid_batches = 16;
  dim_t save_every = 500;
  bool resume = false;        ///< goes on from the folder's checkpoint, or starts afresh where there is none
  Metadata metadata = {};     ///< saved with the model, such as its tokenizer
  std::string settings = {};  ///< what must be the same for a resumed run to go on bit for bit, in words
  std::function<void(const StepReport&)> show = {};  ///< called after every step; without it, a line on the terminal

  /// Error unless every number lies within its range.
  [[gnu::cold, gnu::noinline]] void check() const {
    const detail::Ranges ranges("RunConfig");
    ranges.at_least(0, "steps", steps);
    ranges.at_least(0, "valid_every", valid_every);
    ranges.at_least(1, "valid_batches", valid_batches);
    ranges.at_least(0, "save_every", save_every);
  }

  std::string log() const { return folder + "/log.csv"; }
  std::string model() const { return folder + "/model.safetensors"; }
  std::string checkpoint() const { return folder + "/resume.safetensors"; }
  /// The checkpoint that a run which started afresh found in its folder.
  std::string previous() const { return folder + "/previous.safetensors"; }
};

}  // namespace rwkv
