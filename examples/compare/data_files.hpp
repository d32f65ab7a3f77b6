#pragma once
#include "conclusions.hpp"

namespace compare {

inline std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}
/// A table of the report.
inline std::string csv(const Table& t) {
  std::string out;
  for (std::size_t i = 0; i < t.columns.size(); ++i) out += (i > 0 ? "," : "") + t.columns[i].name;
  out += "\n";
  for (const auto& row : t.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) out += (i > 0 ? "," : "") + csv_cell(row[i]);
    out += "\n";
  }
  return out;
}
/// A line per validation of every run.
inline std::string curves_csv(const Results& r) {
  std::string out = "model,seed,tokens,seconds,train_loss,valid_loss\n";
  for (const ModelResult& m : r.models)
    for (std::size_t s = 0; s < m.curves.size(); ++s)
      for (const Point& p : m.curves[s])
        out += csv_cell(m.entry.label) + "," + std::to_string(s + 1) + "," + digits(p.tokens, 0) + "," +
               digits(p.seconds, 3) + "," + digits(p.train, 6) + "," + digits(p.valid, 6) + "\n";
  return out;
}

inline std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    char code[8];
    if (static_cast<unsigned char>(c) < 0x20)
      std::snprintf(code, sizeof code, "\\u%04x", c), out += code;
    else
      out += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
  }
  return out + "\"";
}
inline std::string json_number(double x, int after_point) {
  return std::isfinite(x) ? digits(x, after_point) : "null";
}
/// The report, but for drawings and what length.csv holds.
inline std::string results_json(const Results& r) {
  const auto list = [](const auto& items, auto&& each) {
    std::string out;
    for (const auto& item : items) out += (out.empty() ? "" : ", ") + each(item);
    return "[" + out + "]";
  };
  const auto speed = [](const Speed& s) {
    return "[" + std::to_string(s.position) + ", " + json_number(s.mean, 9) + ", " + json_number(s.median, 9) + "]";
  };
  const Table t = table(r);
  const auto order = ranked(r);
  std::string models;
  for (std::size_t m = 0; m < t.rows.size(); ++m) {
    std::string row;
    for (std::size_t i = 0; i < t.columns.size(); ++i) {
      const std::string& cell = t.rows[m][i];
      row += json_text(t.columns[i].name) + ": " +
             (!t.columns[i].number ? json_text(cell)
              : cell.empty()       ? std::string("null")
                                   : cell) +
             ", ";
    }
    const std::string curves = list(order[m]->curves, [&](const Curve& curve) {
      return list(curve, [](const Point& p) {
        return "[" + json_number(p.tokens, 0) + ", " + json_number(p.seconds, 3) + ", " + json_number(p.train, 6) +
               ", " + json_number(p.valid, 6) + "]";
      });
    });
    models += (m > 0 ? ",\n    {" : "\n    {") + row + "\"curves\": " + curves +
              ", \"samples\": " + list(order[m]->samples, json_text) +
              ", \"speeds\": " + list(order[m]->speeds, speed) + ", \"writing\": " + list(order[m]->writing, speed) +
              "}";
  }
  return "{\n  \"machine\": " + json_text(r.machine) + ",\n  \"runs\": " + std::to_string(r.runs) +
         ",\n  \"planned\": " + std::to_string(r.planned) + ",\n  \"ngram_tokens\": " + std::to_string(r.ngram_tokens) +
         ",\n  \"ngram_losses\": " + list(r.ngrams, [](double x) { return json_number(x, 4); }) +
         ",\n  \"conclusions\": " + list(conclusions(r), json_text) + ",\n  \"models\": [" + models + "\n  ]\n}\n";
}

}  // namespace compare
