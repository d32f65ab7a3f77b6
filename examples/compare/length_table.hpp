#pragma once
#include "table.hpp"

namespace compare {

/// A model's losses in every window, mean over its seeds.
inline std::vector<StretchLosses> by_window(const ModelResult& m) {
  std::vector<StretchLosses> mean = m.lengths.at(0);
  for (std::size_t w = 0; w < mean.size(); ++w)
    for (std::size_t part = 0; part < mean[w].size(); ++part) {
      mean[w][part] = 0;
      for (const auto& seed : m.lengths) mean[w][part] += seed[w][part] / double(m.lengths.size());
    }
  return mean;
}
/// Over the windows: each one's loss in a stretch.
inline Spread loss_in(const ModelResult& m, std::size_t part) {
  std::vector<double> values;
  for (const StretchLosses& window : by_window(m)) values.push_back(window[part]);
  return spread(values);
}
/// Over the windows: one stretch's loss less another's, of the same model or another. What the windows hold is the
/// same.
inline Spread loss_difference(const ModelResult& a, std::size_t part_of_a, const ModelResult& b,
                              std::size_t part_of_b) {
  const auto of_a = by_window(a), of_b = by_window(b);
  std::vector<double> values;
  for (std::size_t w = 0; w < of_a.size(); ++w) values.push_back(of_a[w][part_of_a] - of_b[w][part_of_b]);
  return spread(values);
}

/// The best model first.
inline std::vector<const ModelResult*> measured_in_length(const Results& r) {
  auto order = ranked(r);
  std::erase_if(order, [](const ModelResult* m) { return m->lengths.empty(); });
  return order;
}
inline std::vector<const ModelResult*> measured_in_writing(const Results& r) {
  auto order = ranked(r);
  std::erase_if(order, [](const ModelResult* m) { return m->writing.empty(); });
  return order;
}

/// Loss by position: a row per stretch, two columns per model.
inline Table length_table(const Results& r) {
  Table t{{{"from", "first", true}, {"to", "last", true}}, {}};
  for (const Positions& part : stretches(r.study.length))
    t.rows.push_back({std::to_string(part.first), std::to_string(part.last)});
  for (const ModelResult* m : measured_in_length(r)) {
    t.columns.push_back({m->entry.label, m->entry.label, true});
    t.columns.push_back({"standard error", m->entry.label + "_standard_error", true});
    for (std::size_t part = 0; part < t.rows.size(); ++part) {
      const Spread loss = loss_in(*m, part);
      t.rows[part].push_back(digits(loss.mean, 4)), t.rows[part].push_back(digits(loss.error(), 4));
    }
  }
  return t;
}
/// Far into a text: a row per position, three columns per model.
inline Table writing_table(const Results& r) {
  Table t{{{"characters written", "position", true}}, {}};
  const auto order = measured_in_writing(r);
  if (!order.empty())
    for (const Speed& s : order[0]->writing) t.rows.push_back({std::to_string(s.position)});
  for (const ModelResult* m : order) {
    const std::string& label = m->entry.label;
    t.columns.push_back({label + ": median, µs", label + "_median_us", true});
    t.columns.push_back({"mean, µs", label + "_mean_us", true});
    t.columns.push_back({"state in use, bytes", label + "_state_bytes", true});
    for (std::size_t i = 0; i < t.rows.size(); ++i) {
      const Speed& s = m->writing.at(i);
      t.rows[i].push_back(digits(1e6 * s.median, 1)), t.rows[i].push_back(digits(1e6 * s.mean, 1));
      t.rows[i].push_back(digits(m->facts.bytes_in_use(s.position), 0));
    }
  }
  return t;
}

}  // namespace compare
