#pragma once
#include "length_words.hpp"

namespace compare {

/// Loss a minus loss b of the same seeds: what the two were given was the same.
inline Spread difference(const ModelResult& a, const ModelResult& b) {
  std::vector<double> values;
  for (std::size_t i = 0; i < a.seeds.size(); ++i)
    for (std::size_t j = 0; j < b.seeds.size(); ++j)
      if (a.seeds[i] == b.seeds[j]) values.push_back(a.curves[i].back().valid - b.curves[j].back().valid);
  return spread(values);
}
/// Beyond what seeds explain: all seeds agree in sign, and the mean is more than twice its standard error from 0.
inline bool beyond_spread(const Spread& d) {
  return d.n > 1 && d.low * d.high > 0 && std::abs(d.mean) > 2 * d.error();
}

/// The mean validation loss after so many seconds of training, by straight lines; NaN before the first validation.
inline double loss_after(const ModelResult& m, double seconds) {
  double before_t = 0, before = std::nan("");
  for (std::size_t i = 0; i < m.curves[0].size(); ++i) {
    const double t = m.at(i, &Point::seconds).mean, loss = m.at(i, &Point::valid).mean;
    if (t >= seconds) return before + (loss - before) * (seconds - before_t) / (t - before_t);
    before_t = t, before = loss;
  }
  return before;
}
/// The first validation at which the mean loss is as low as `loss`; NaN if never.
inline double tokens_to_reach(const ModelResult& m, double loss) {
  for (std::size_t i = 0; i < m.curves[0].size(); ++i)
    if (m.at(i, &Point::valid).mean <= loss) return m.at(i, &Point::tokens).mean;
  return std::nan("");
}

/// A machine that does nothing else needs the same time for the same work, within a few per cent. Where the fastest
/// stretch of a model's training took less than two thirds of the slowest's time, something else ran, and times say
/// nothing.
inline bool was_busy(const ModelResult& m) {
  const Spread speed = m.tokens_per_second_of_stretches();
  return speed.high > 1.5 * speed.low;
}
inline std::string at_equal_time(const std::vector<const ModelResult*>& order) {
  double shortest = HUGE_VAL;
  for (const ModelResult* m : order) shortest = std::min(shortest, m->last(&Point::seconds).mean);
  const ModelResult* best = order[0];
  std::string losses;
  for (const ModelResult* m : order) {
    if (loss_after(*m, shortest) < loss_after(*best, shortest)) best = m;
    losses += (losses.empty() ? "" : ", ") + m->entry.label + " " + digits(loss_after(*m, shortest), 4);
  }
  return "At equal training time, " + digits(shortest, shortest < 10 ? 1 : 0) + " s on this machine, " +
         best->entry.label + " leads: " + losses + ".";
}
/// A model is called the fastest where its slowest stretch is faster than every other model's fastest.
inline std::string speeds(const std::vector<const ModelResult*>& order, bool quiet) {
  std::string all;
  const ModelResult* fastest = order[0];
  for (const ModelResult* m : order) {
    const Spread speed = m->tokens_per_second_of_stretches();
    all += (all.empty() ? "" : ", ") + m->entry.label + " " + count(m->tokens_per_second()) + " (from " +
           count(speed.low) + " to " + count(speed.high) + ")";
    if (m->tokens_per_second() > fastest->tokens_per_second()) fastest = m;
  }
  all = "Tokens a second in training: " + all;
  if (!quiet)
    return all +
           ". So much spread means that the machine was busy: these times compare nothing; repeat the study on a "
           "quiet one.";
  for (const ModelResult* m : order)
    if (m != fastest && m->tokens_per_second_of_stretches().high >= fastest->tokens_per_second_of_stretches().low)
      return all + "; no model is the fastest beyond that spread.";
  return all + "; " + fastest->entry.label + " is the fastest.";
}

/// What the numbers say, in sentences.
inline std::vector<std::string> conclusions(const Results& results) {
  std::vector<std::string> all;
  const auto order = ranked(results);
  if (order.empty()) {
    all = results.stopped;
    all.push_back("No run is finished yet.");
    return all;
  }
  const auto loss = [](const ModelResult& m) { return m.last(&Point::valid).mean; };
  const ModelResult& first = *order.front();
  if (results.runs < results.planned)
    all.push_back("The study is not finished: " + std::to_string(results.runs) + " of " +
                  std::to_string(results.planned) + " runs.");
  all.insert(all.end(), results.stopped.begin(), results.stopped.end());
  for (std::size_t i = 1; i < order.size(); ++i) {
    const ModelResult& other = *order[i];
    const Spread d = difference(other, first);
    if (d.n == 0) continue;
    const std::string by = digits(d.mean, 4) + " nats per character";
    std::string line = first.entry.label + " leads " + other.entry.label + " by " + by + " at equal tokens";
    if (d.n < 2)
      line += " (one seed: how much seeds differ is not known).";
    else
      line += std::string(beyond_spread(d) ? ", beyond" : ", not beyond") + " the spread of " + std::to_string(d.n) +
              " seeds (differences from " + digits(d.low, 4) + " to " + digits(d.high, 4) + ").";
    all.push_back(line);
  }
  if (order.size() > 1) {
    const ModelResult& last = *order.back();
    if (const double n = tokens_to_reach(first, loss(last)); !std::isnan(n))
      all.push_back(first.entry.label + " reached the last loss of " + last.entry.label + " (" + digits(loss(last), 4) +
                    ") with " + count(n) + " of its " + count(last.last(&Point::tokens).mean) + " tokens.");
    const bool quiet = std::none_of(order.begin(), order.end(), [](auto* m) { return was_busy(*m); });
    if (quiet) all.push_back(at_equal_time(order));
    all.push_back(speeds(order, quiet));
  }
  for (const std::string& line : length_conclusions(results)) all.push_back(line);
  if (!results.ngrams.empty())
    for (const ModelResult* m : order) {
      const double gap = results.best_ngram() - loss(*m);
      all.push_back(m->entry.label + (gap > 0 ? " is below" : " is NOT below") + " the best n-gram of " +
                    count(double(results.ngram_tokens)) + " characters (" + digits(results.best_ngram(), 4) + "), by " +
                    digits(std::abs(gap), 4) + ".");
    }
  return all;
}

}  // namespace compare
