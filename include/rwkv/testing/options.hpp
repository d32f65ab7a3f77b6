#pragma once
#include <cstdint>
#include <cstdlib>

#include <rwkv/core/config.hpp>
#include <rwkv/core/ranges.hpp>
#include <rwkv/core/shape.hpp>

namespace rwkv::testing {

/// What a check tries.
struct Options {
  /// The environment variable RWKV_TEST_SEED, where it is set, so that a run can be varied without compiling.
  std::uint64_t seed = default_seed();
  /// The environment variable RWKV_TEST_CASES, where it is set, so that slow machines can try fewer.
  int cases = default_cases();
  dim_t most_batch = 3, most_time = 3 * span;  ///< span is where recurrences keep their state
  bool wild = true;                            ///< also values ten to thirty times as large as usual
  bool bounded = false;  ///< wild values must not overflow either; where they may, such a case shows nothing
  bool dropout = false;  ///< layers drop as in training; which numbers follows from the case's seed
  dim_t vocabulary = 2;  ///< tokens that layers which read tokens know at least

  /// Error unless every setting lies within its range.
  void check() const {
    const rwkv::detail::Ranges ranges("testing::Options");
    ranges.at_least(1, "cases", cases);
    ranges.at_least(1, "most_batch", most_batch);
    ranges.at_least(1, "most_time", most_time);
    ranges.at_least(1, "vocabulary", vocabulary);
  }

  static int default_cases() {
    const char* text = std::getenv("RWKV_TEST_CASES");
    return text != nullptr ? int(std::strtol(text, nullptr, 10)) : 16;
  }
  static std::uint64_t default_seed() {
    const char* text = std::getenv("RWKV_TEST_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 2024;
  }
};

}  // namespace rwkv::testing
