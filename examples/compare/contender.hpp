#pragma once
#include <string>
#include <vector>

#include "facts.hpp"
#include "job.hpp"

namespace compare {

/// A model that can be compared: its type behind functions.
struct Contender {
  std::string name, shape;
  Facts (*facts)(rwkv::Seq);
  bool (*train)(const Job&, float start);
  float start = 1;  ///< how many times their usual size weights start with

  bool operator()(const Job& job) const { return train(job, start); }
};

/// Tokens that every model knows; a text may have fewer.
inline constexpr dim_t vocabulary = 128;
/// Tokens of a transformer's window.
inline constexpr dim_t window = 256;

/// The models of about 1, 14 and 90 million parameters.
std::vector<Contender> ladder_1m();
std::vector<Contender> ladder_14m();
std::vector<Contender> ladder_90m();

inline std::vector<Contender> ladder(const std::string& size) {
  return size == "1m" ? ladder_1m() : size == "14m" ? ladder_14m() : ladder_90m();
}

}  // namespace compare
