#pragma once
#include "conclusions.hpp"
#include "plots.hpp"

namespace compare {
namespace detail {

inline std::string heading(const std::string& words) {
  return "<h2>" + drawing::escaped(words) + "</h2>\n";
}
inline std::string html_table(const Table& table) {
  std::string out = "<table id='results'>\n<tr>";
  for (const auto& c : table.columns) out += "<th>" + drawing::escaped(c.title) + "</th>";
  out += "</tr>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += std::string(table.columns[i].number ? "<td class='n'>" : "<td>") + drawing::escaped(row[i]) + "</td>";
    out += "</tr>\n";
  }
  return out + "</table>\n";
}
inline std::string ngram_table(const Results& r) {
  std::string out = "<table><tr><th>order</th>";
  for (std::size_t n = 1; n <= r.ngrams.size(); ++n) out += "<td class='n'>" + std::to_string(n) + "</td>";
  out += "</tr><tr><th>nats per character</th>";
  for (const double loss : r.ngrams) out += "<td class='n'>" + digits(loss, 4) + "</td>";
  return out + "</tr></table>\n";
}
inline std::string samples(const Results& r) {
  const Study& s = r.study;
  std::string out;
  for (std::size_t p = 0; p < s.prompts.size(); ++p) {
    out += "<h3>After <q>" + drawing::escaped(s.prompts[p]) + "</q></h3>\n<table class='samples'>\n<tr><th></th>";
    for (const double t : s.temperatures) out += "<th>temperature " + digits(t, 2) + "</th>";
    out += "</tr>\n";
    for (const ModelResult& m : r.models) {
      if (m.samples.empty()) continue;
      out += "<tr><th>" + drawing::escaped(m.entry.label) + "</th>";
      for (std::size_t t = 0; t < s.temperatures.size(); ++t)
        out += "<td><pre>" + drawing::escaped(m.samples[p * s.temperatures.size() + t]) + "</pre></td>";
      out += "</tr>\n";
    }
    out += "</table>\n";
  }
  return out;
}

}  // namespace detail

/// The whole study on one page that needs nothing else.
inline std::string html(const Results& r, const std::string& settings) {
  using namespace detail;
  std::string out =
      "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n<title>RWKV and transformers</title>\n<style>"
      "body{font-family:sans-serif;max-width:75em;margin:2em auto;padding:0 1em}"
      "table{border-collapse:collapse;font-size:85%}td,th{border:1px solid #ccc;padding:.3em .5em;vertical-align:top}"
      "td.n{text-align:right}pre{white-space:pre-wrap;margin:0;overflow-wrap:anywhere}svg{width:100%}</style>\n"
      "</head>\n<body>\n<h1>RWKV and transformers on the same text</h1>\n";
  out += heading("Conclusions") + "<ul>\n";
  for (const std::string& line : conclusions(r)) out += "<li>" + drawing::escaped(line) + "</li>\n";
  out += "</ul>\n";
  if (!r.note.empty()) out += "<p>" + drawing::escaped(r.note) + "</p>\n";
  out += html_table(table(r)) +
         "<p>Losses are nats per character. Training loss: mean since the last validation but one. Deviation: of one "
         "seed's validation loss. A training step takes about three times the operations of a forward pass.</p>\n";
  out += heading("Learning") +
         drawing::svg({loss_chart(r, &Point::tokens, &Point::valid, "Validation loss", "tokens"),
                       loss_chart(r, &Point::seconds, &Point::valid, "Validation loss", "seconds of training")},
                      "Mean over the seeds; bands from the lowest to the highest. " + r.machine) +
         drawing::svg({loss_chart(r, &Point::tokens, &Point::train, "Training loss", "tokens"),
                       loss_chart(r, &Point::seconds, &Point::train, "Training loss", "seconds of training")},
                      "Mean of the steps between two validations.");
  if (!r.ngrams.empty())
    out += heading("n-grams of the first " + std::to_string(r.ngram_tokens) + " characters of the same text") +
           ngram_table(r);
  out +=
      heading("Writing") +
      drawing::svg(
          {position_chart(r, "Time of a token", "seconds", [](const ModelResult&, const Speed& s) { return s.median; }),
           position_chart(r, "State in use", "bytes",
                          [](const ModelResult& m, const Speed& s) { return m.facts.bytes_in_use(s.position); })},
          "Medians. A transformer that reaches the end of its window begins anew with half of it.") +
      samples(r) + heading("Settings") + "<pre>" + drawing::escaped(settings) + "</pre>\n</body>\n</html>\n";
  return out;
}

}  // namespace compare
