#pragma once
#include <rwkv/drawing/chart.hpp>

#include "length_table.hpp"

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
inline drawing::Chart position_chart(const Results& results, std::vector<Speed> ModelResult::*of,
                                     const std::string& title, const std::string& up,
                                     double (*value)(const ModelResult&, const Speed&)) {
  using drawing::Scale;
  drawing::Chart chart{title, "tokens written", up, {}, {}, Scale::binary, Scale::logarithmic};
  for (std::size_t m = 0; m < results.models.size(); ++m) {
    const ModelResult& model = results.models[m];
    if ((model.*of).empty()) continue;
    drawing::Series line = drawing::style(m);
    line.name = model.entry.label;
    for (const Speed& s : model.*of) line.points.emplace_back(double(s.position), value(model, s));
    chart.series.push_back(line);
  }
  return chart;
}
/// Both of them.
inline std::vector<drawing::Chart> writing_charts(const Results& results, std::vector<Speed> ModelResult::*of) {
  return {position_chart(results, of, "Time of a token", "microseconds",
                         [](const ModelResult&, const Speed& s) { return 1e6 * s.median; }),
          position_chart(results, of, "State in use", "bytes",
                         [](const ModelResult& m, const Speed& s) { return m.facts.bytes_in_use(s.position); })};
}

/// Loss against the position in a window, with its standard error as a band.
inline drawing::Chart length_chart(const Results& results) {
  using drawing::Scale;
  drawing::Chart chart{"Validation loss by position",
                       "characters read, up to",
                       "nats per character",
                       {},
                       {},
                       Scale::binary,
                       Scale::linear};
  const auto parts = stretches(results.study.length);
  for (std::size_t m = 0; m < results.models.size(); ++m) {
    const ModelResult& model = results.models[m];
    if (model.lengths.empty()) continue;
    drawing::Series line = drawing::style(m);
    line.name = model.entry.label;
    for (std::size_t part = 0; part < parts.size(); ++part) {
      const Spread y = loss_in(model, part);
      line.points.emplace_back(double(parts[part].last + 1), y.mean);
      if (y.n > 1) line.band.emplace_back(y.mean - y.error(), y.mean + y.error());
    }
    chart.series.push_back(line);
  }
  return chart;
}

/// What drawings of their own show: learning, and long texts.
inline std::vector<drawing::Chart> learning_charts(const Results& r) {
  return {loss_chart(r, &Point::tokens, &Point::valid, "Validation loss", "tokens"),
          loss_chart(r, &Point::seconds, &Point::valid, "Validation loss", "seconds of training")};
}
inline std::vector<drawing::Chart> length_charts(const Results& r) {
  std::vector<drawing::Chart> charts;
  if (!measured_in_length(r).empty()) charts.push_back(length_chart(r));
  if (!measured_in_writing(r).empty())
    for (drawing::Chart& chart : writing_charts(r, &ModelResult::writing)) charts.push_back(std::move(chart));
  return charts;
}

}  // namespace compare
