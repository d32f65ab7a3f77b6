#pragma once
#include <functional>
#include <string>

#include <rwkv/training/log.hpp>

#include "study.hpp"

namespace compare {

/// The way out where a file is damaged that only measures.
inline constexpr const char* measure_again = "remove it and repeat the command";

/// One training run of a study.
struct Job {
  const Study& study;
  const Texts& texts;
  Entry entry;
  std::uint64_t seed;
  std::function<void(const rwkv::StepReport&)> show = {};

  std::string folder() const { return study.out + "/runs/" + entry.label + "-seed" + std::to_string(seed); }
  std::string log() const { return folder() + "/log.csv"; }
  /// Written last: the run is complete.
  std::string finished() const { return folder() + "/finished.txt"; }
  /// Written instead where training came to something that is no number: why. It would come to the same again.
  std::string stopped() const { return folder() + "/stopped.txt"; }
  /// The first seed's model also writes and is timed.
  bool writes() const { return seed == 1; }
  std::string sample(std::size_t prompt, std::size_t temperature) const {
    return folder() + "/sample." + std::to_string(prompt + 1) + "." + std::to_string(temperature + 1) + ".txt";
  }
  /// The way out where its files are damaged.
  std::string repeat() const { return "remove the folder " + folder() + " and repeat the command"; }
  std::string speed() const { return folder() + "/speed.csv"; }
  std::string model() const { return folder() + "/model.safetensors"; }
  /// Measured on that model, whenever it is asked for: a file for every size.
  std::string length() const {
    return folder() + "/length." + std::to_string(study.length) + "x" + std::to_string(study.length_windows) + ".csv";
  }
  std::string writing() const { return folder() + "/writing." + std::to_string(study.write_to) + ".csv"; }
};

}  // namespace compare
