#pragma once
#include <functional>
#include <map>
#include <string>

#include <rwkv/core/ranges.hpp>
#include <rwkv/core/settings.hpp>
#include <rwkv/io/tensor_info.hpp>
#include <rwkv/training/step_report.hpp>

namespace rwkv {

/// A training run with a folder: log.csv, model.safetensors (the parameters, for use) and resume.safetensors.
struct RunConfig {
  std::string folder = "run";
  dim_t steps = 1000;
  dim_t valid_every = 100, valid_batches = 16;
  dim_t save_every = 500;
  bool resume = false;     ///< goes on from the folder's checkpoint, or starts afresh where there is none
  Metadata metadata = {};  ///< saved with the model, such as its tokenizer
  Settings settings = {};  ///< decides the run's numbers besides what run_identity knows
  std::map<std::string, std::string> words = {};      ///< what messages call a setting: {"learning_rate", "--rate"}
  std::function<void(const StepReport&)> show = {};   ///< called after every step; without it, lines on stderr
  std::function<void(const std::string&)> tell = {};  ///< called with what was kept or is missing; without it, stderr

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
};

}  // namespace rwkv
