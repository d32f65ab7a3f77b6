#pragma once
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "folder.hpp"
#include "job.hpp"

namespace compare {

/// A validation of a run: what came before it. Seconds are those of training alone, all sittings together.
struct Point {
  double tokens, seconds, train, valid;  ///< train: mean loss of the steps since the validation before
};
using Curve = std::vector<Point>;

/// From a run's log.csv.
inline Curve read_curve(const Job& job) {
  Curve curve;
  const std::string text = read_file(job.log());
  double sum = 0, steps = 0;
  for (std::size_t at = text.find('\n') + 1; at < text.size(); at = text.find('\n', at) + 1) {
    double cell[7] = {};  // step, loss, valid_loss, rate, gradient_norm, tokens_per_second, seconds
    const char* word = text.c_str() + at;
    bool validated = false;
    for (int i = 0; i < 7; ++i) {
      char* end = nullptr;
      cell[i] = std::strtod(word, &end);
      if (i == 2) validated = end != word;
      word = end + 1;
    }
    sum += cell[1], ++steps;
    if (!validated) continue;
    curve.push_back({cell[0] * double(job.study.seq().tokens()), cell[6], sum / steps, cell[2]});
    sum = steps = 0;
  }
  return curve;
}

/// Several numbers of one thing.
struct Spread {
  double mean = 0, deviation = 0, low = 0, high = 0;  ///< deviation: of one, with n - 1; NaN if there is but one
  std::size_t n = 0;
};
inline Spread spread(const std::vector<double>& values) {
  Spread s{0, std::nan(""), HUGE_VAL, -HUGE_VAL, values.size()};
  for (const double x : values) s.mean += x / double(s.n), s.low = std::min(s.low, x), s.high = std::max(s.high, x);
  double squares = 0;
  for (const double x : values) squares += (x - s.mean) * (x - s.mean);
  if (s.n > 1) s.deviation = std::sqrt(squares / double(s.n - 1));
  return s;
}

}  // namespace compare
