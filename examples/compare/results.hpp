#pragma once
#include <map>
#include <string>
#include <vector>

#include "curve.hpp"
#include "facts.hpp"
#include "length.hpp"
#include "measure.hpp"

namespace compare {

struct Speed {
  dim_t position;
  double mean, median;  ///< seconds of a token
};

/// What is known of one model of a study.
struct ModelResult {
  Entry entry;
  std::string shape;
  Facts facts;
  std::vector<Curve> curves = {};         ///< of every finished seed
  std::vector<std::uint64_t> seeds = {};  ///< whose curves they are
  std::vector<std::string> samples = {};  ///< prompt by prompt, every temperature
  std::vector<Speed> speeds = {};
  std::vector<Speed> writing = {};                       ///< far into a text
  std::vector<std::vector<StretchLosses>> lengths = {};  ///< of every seed, window by window

  /// A number of every seed's last validation.
  Spread last(double Point::*what) const {
    std::vector<double> values;
    for (const Curve& c : curves) values.push_back(c.back().*what);
    return spread(values);
  }
  Spread at(std::size_t i, double Point::*what) const {
    std::vector<double> values;
    for (const Curve& c : curves) values.push_back(c[i].*what);
    return spread(values);
  }
  double tokens_per_second() const { return curves[0].back().tokens / last(&Point::seconds).mean; }
  /// The same in every stretch between two validations, which are equal work: its spread is the machine's.
  Spread tokens_per_second_of_stretches() const {
    std::vector<double> rates;
    for (const Curve& c : curves)
      for (std::size_t i = 0; i < c.size(); ++i) {
        const double tokens = c[i].tokens - (i > 0 ? c[i - 1].tokens : 0),
                     seconds = c[i].seconds - (i > 0 ? c[i - 1].seconds : 0);
        if (seconds > 0) rates.push_back(tokens / seconds);
      }
    return spread(rates);
  }
};

struct Results {
  const Study& study;
  std::string machine, note = {};
  dim_t ngram_tokens = 0;
  std::vector<double> ngrams = {};  ///< losses of order 1, 2, ...
  std::vector<ModelResult> models = {};
  std::vector<std::string> stopped = {};  ///< runs without an end, and why
  dim_t runs = 0, planned = 0;

  double best_ngram() const { return ngrams.empty() ? std::nan("") : *std::min_element(ngrams.begin(), ngrams.end()); }
};

inline std::vector<Speed> read_speeds(const std::string& path, const std::vector<dim_t>& positions,
                                      const std::string& way_out) {
  std::vector<Speed> speeds;
  const std::string text = read_file(path);
  rwkv::CsvReader table(text, path, way_out);
  while (table.next())
    speeds.push_back({dim_t(table.number(table.column("position"))), table.number(table.column("mean_seconds")),
                      table.number(table.column("median_seconds"))});
  table.expect_whole();
  if (speeds.size() != positions.size())
    throw rwkv::Error(path, ": expected ", positions.size(), " positions, found ", speeds.size(), "; ", way_out);
  return speeds;
}

/// From the files of a run that is finished.
inline void add_run(const Job& job, ModelResult& model) {
  model.seeds.push_back(job.seed);
  model.curves.push_back(read_curve(job));
  const dim_t steps = job.study.steps(), every = job.study.valid_every(),
              planned = steps / every + (steps % every != 0);
  if (dim_t(model.curves.back().size()) != planned)
    throw rwkv::Error(job.log(), ": expected ", planned, " validations, found ", model.curves.back().size(), "; ",
                      job.repeat());
  if (job.study.length > 0) model.lengths.push_back(read_length(job));
  if (!job.writes()) return;
  for (std::size_t p = 0; p < job.study.prompts.size(); ++p)
    for (std::size_t t = 0; t < job.study.temperatures.size(); ++t)
      model.samples.push_back(read_file(job.sample(p, t)));
  model.speeds = read_speeds(job.speed(), speed_positions(), job.repeat());
  if (job.study.write_to > 0) model.writing = read_speeds(job.writing(), writing_positions(job.study), measure_again);
}

}  // namespace compare
