#pragma once
#include <rwkv/drawing/chart.hpp>
#include "results.hpp"

namespace compare {

inline std::string colour_of(std::size_t i) {
  static const char* const colours[] = {"#1a7f37", "#cf222e", "#8250df", "#bc4c00", "#0969da", "#6e7781", "#bf3989"};
  return colours[i % std::size(colours)];
}

/// A loss against tokens or seconds: the mean over seeds, and the lowest and highest as a band.
inline drawing::Chart loss_chart(const Results& results, double Point::*across, double Point::*up,
                                 const std::string& title, const std::string& words) {
  drawing::Chart chart{title, words, "nats per character", {}, {}, drawing::Scale::logarithmic, drawing::Scale::linear};
  double first = HUGE_VAL, last = 0;
  for (std::size_t m = 0; m < results.models.size(); ++m) {
    const ModelResult& model = results.models[m];
    if (model.curves.empty()) continue;
    drawing::Series line{model.entry.label, colour_of(m), {}, false, {}};
    for (std::size_t i = 0; i < model.curves[0].size(); ++i) {
      const Spread y = model.at(i, up);
      const double x = std::max(model.at(i, across).mean, 1e-3);
      line.points.emplace_back(x, y.mean);
      if (y.n > 1) line.band.emplace_back(y.low, y.high);
      first = std::min(first, x), last = std::max(last, x);
    }
    chart.series.push_back(line);
  }
  for (std::size_t n = 0; n < results.ngrams.size(); ++n)
    if (n + 1 >= 3 && first < last)
      chart.series.push_back(
          {"n-gram, order " + std::to_string(n + 1) + ": " + rwkv::fixed_text(results.ngrams[n], 6).substr(0, 5),
           "#999",
           {{first, results.ngrams[n]}, {last, results.ngrams[n]}},
           true,
           {}});
  return chart;
}

/// Seconds and state against the position in the text.
inline drawing::Chart position_chart(const Results& results, const std::string& title, const std::string& up,
                                     double (*value)(const ModelResult&, const Speed&)) {
  drawing::Chart chart{title, "tokens written", up, {}, {}, drawing::Scale::logarithmic, drawing::Scale::logarithmic};
  for (std::size_t m = 0; m < results.models.size(); ++m) {
    const ModelResult& model = results.models[m];
    if (model.speeds.empty()) continue;
    drawing::Series line{model.entry.label, colour_of(m), {}, false, {}};
    for (const Speed& s : model.speeds) line.points.emplace_back(double(s.position), value(model, s));
    chart.series.push_back(line);
  }
  return chart;
}

}  // namespace compare
