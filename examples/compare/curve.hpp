#pragma once
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <rwkv/io/csv_reader.hpp>

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
  rwkv::CsvReader log(text, job.log(), job.repeat());
  const std::size_t step = log.column("step"), loss = log.column("loss"), valid = log.column("valid_loss"),
                    seconds = log.column("seconds");
  double sum = 0, steps = 0;
  while (log.next()) {
    sum += log.number(loss), ++steps;
    if (log.cells()[valid].empty()) continue;
    curve.push_back(
        {log.number(step) * double(job.study.seq().tokens()), log.number(seconds), sum / steps, log.number(valid)});
    sum = steps = 0;
  }
  log.expect_whole();
  return curve;
}

/// Several numbers of one thing.
struct Spread {
  double mean = 0, deviation = 0, low = 0, high = 0;  ///< deviation: of one, with n - 1; NaN if there is but one
  std::size_t n = 0;
  double error() const { return deviation / std::sqrt(double(n)); }  ///< standard error of the mean
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
