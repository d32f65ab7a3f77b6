#pragma once
#include "table.hpp"

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
  return d.n > 1 && d.low * d.high > 0 && std::abs(d.mean) > 2 * d.deviation / std::sqrt(double(d.n));
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
                    ") with " + digits(n / 1e6, 2) + " of its " + digits(last.last(&Point::tokens).mean / 1e6, 2) +
                    " million tokens.");
    double shortest = HUGE_VAL;
    for (const ModelResult* m : order) shortest = std::min(shortest, m->last(&Point::seconds).mean);
    const ModelResult* best = order[0];
    std::string losses;
    for (const ModelResult* m : order) {
      if (loss_after(*m, shortest) < loss_after(*best, shortest)) best = m;
      losses += (losses.empty() ? "" : ", ") + m->entry.label + " " + digits(loss_after(*m, shortest), 4);
    }
    all.push_back("At equal training time, " + digits(shortest, 0) + " s on this machine, " + best->entry.label +
                  " leads: " + losses + ".");
    const auto fastest = *std::max_element(
        order.begin(), order.end(), [](auto* a, auto* b) { return a->tokens_per_second() < b->tokens_per_second(); });
    all.push_back("Fastest in training is " + fastest->entry.label + ", " + digits(fastest->tokens_per_second(), 0) +
                  " tokens a second.");
  }
  if (!results.ngrams.empty())
    for (const ModelResult* m : order) {
      const double gap = results.best_ngram() - loss(*m);
      all.push_back(m->entry.label + (gap > 0 ? " is below" : " is NOT below") + " the best n-gram of " +
                    digits(double(results.ngram_tokens) / 1e6, 2) + " million characters (" +
                    digits(results.best_ngram(), 4) + "), by " + digits(std::abs(gap), 4) + ".");
    }
  return all;
}

}  // namespace compare
