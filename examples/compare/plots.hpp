#pragma once
#include <rwkv/drawing/chart.hpp>
#include "results.hpp"

namespace compare {

/// A loss against tokens or seconds: the mean over seeds, and the lowest and highest as a band.
inline drawing::Chart loss_chart(const Results& results, double Point::*across, double Point::*up,
                                 const std::string& title, const std::string& words) {
  using drawing::Scale;
  drawing::Chart chart{title, words, "nats per character", {}, {}, Scale::logarithmic, Scale::linear};
  double first = HUGE_VAL, last = 0;
  for (std::size_t m = 0; m < results.models.size(); ++m) {
    const ModelResult& model = results.models[m];
    if (model.curves.empty()) continue;
    drawing::Series line = drawing::style(m);
    line.name = model.entry.label;
    for (std::size_t i = 0; i < model.curves[0].size(); ++i) {
      const Spread y = model.at(i, up);
      const double x = std::max(model.at(i, across).mean, 1e-3);
      line.points.emplace_back(x, y.mean);
      if (y.n > 1) line.band.emplace_back(y.low, y.high);
      first = std::min(first, x), last = std::max(last, x);
    }
    chart.series.push_back(line);
  }
  // Of the n-grams, those that may be near: the higher the order, the darker and longer its strokes.
  static const char* const shades[] = {"#a0a0a0", "#888888", "#707070", "#585858", "#404040"};
  static const char* const dashes[] = {"1.5 3", "4 3", "8 4", "12 5", "18 5"};
  for (std::size_t i = 0; i + 2 < results.ngrams.size() && i < std::size(shades) && first < last; ++i) {
    const double loss = results.ngrams[i + 2];
    chart.series.push_back({std::to_string(i + 3) + "-gram: " + rwkv::fixed_text(loss, 3),
                            shades[i],
                            {{first, loss}, {last, loss}},
                            dashes[i],
                            {},
                            1.5});
  }
  return chart;
}

/// Seconds and state against the position in the text.
inline drawing::Chart position_chart(const Results& results, const std::string& title, const std::string& up,
                                     double (*value)(const ModelResult&, const Speed&)) {
  using drawing::Scale;
  drawing::Chart chart{title, "tokens written", up, {}, {}, Scale::binary, Scale::logarithmic};
  for (std::size_t m = 0; m < results.models.size(); ++m) {
    const ModelResult& model = results.models[m];
    if (model.speeds.empty()) continue;
    drawing::Series line = drawing::style(m);
    line.name = model.entry.label;
    for (const Speed& s : model.speeds) line.points.emplace_back(double(s.position), value(model, s));
    chart.series.push_back(line);
  }
  return chart;
}

}  // namespace compare
