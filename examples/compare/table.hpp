#pragma once
#include <numbers>

#include <rwkv/core/number_text.hpp>
#include <rwkv/drawing/grouped.hpp>

#include "results.hpp"

namespace compare {

/// The table of models, as text: report.html, results.csv and results.json hold the same characters.
struct Table {
  struct Column {
    std::string title, name;  ///< for readers, and for programs
    bool number;
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
};

inline std::string digits(double x, int after_point) {
  return std::isnan(x) ? "" : rwkv::fixed_text(x, after_point);
}

/// For readers: with commas between thousands.
inline std::string count(double x) {
  return drawing::grouped(digits(x, 0));
}

/// The best model first.
inline std::vector<const ModelResult*> ranked(const Results& results) {
  std::vector<const ModelResult*> order;
  for (const ModelResult& m : results.models)
    if (!m.curves.empty()) order.push_back(&m);
  std::stable_sort(order.begin(), order.end(),
                   [](auto* a, auto* b) { return a->last(&Point::valid).mean < b->last(&Point::valid).mean; });
  return order;
}

inline Table table(const Results& results) {
  Table t{{{"model", "model", false},
           {"shape", "shape", false},
           {"learning rate", "rate", true},
           {"parameters", "parameters", true},
           {"FLOPs per token", "flops_per_token", true},
           {"training memory, MB", "training_mb", true},
           {"tokens read", "tokens", true},
           {"tokens/s", "tokens_per_second", true},
           {"slowest", "slowest_tokens_per_second", true},
           {"fastest", "fastest_tokens_per_second", true},
           {"training time, s", "seconds", true},
           {"seeds", "seeds", true},
           {"training loss", "train_loss", true},
           {"validation loss", "valid_loss", true},
           {"deviation", "deviation", true},
           {"bits per character", "bits_per_character", true},
           {"written tokens/s", "written_per_second", true},
           {"state, bytes", "state_bytes", true}},
          {}};
  for (const ModelResult* m : ranked(results)) {
    const Spread valid = m->last(&Point::valid), speed = m->tokens_per_second_of_stretches();
    t.rows.push_back(
        {m->entry.label, m->shape, rwkv::number_text(m->entry.rate, 6), std::to_string(m->facts.parameters),
         std::to_string(m->facts.flops), digits(double(m->facts.training_bytes) * 1e-6, 1),
         digits(m->last(&Point::tokens).mean, 0), digits(m->tokens_per_second(), 0), digits(speed.low, 0),
         digits(speed.high, 0), digits(m->last(&Point::seconds).mean, 1), std::to_string(valid.n),
         digits(m->last(&Point::train).mean, 4), digits(valid.mean, 4), digits(valid.deviation, 4),
         digits(valid.mean / std::numbers::ln2, 4), m->speeds.empty() ? "" : digits(1 / m->speeds.back().mean, 0),
         std::to_string(m->facts.state_bytes)});
  }
  return t;
}

}  // namespace compare
