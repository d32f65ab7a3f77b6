#pragma once
#include "conclusions.hpp"
#include "plots.hpp"

namespace compare {
namespace detail {

inline std::string heading(const std::string& words) {
  return "<h2>" + drawing::escaped(words) + "</h2>\n";
}
inline std::string html_table(const Table& table, const std::string& id) {
  std::string out = "<div class='wide'><table id='" + id + "'>\n<tr>";
  for (const auto& c : table.columns) out += "<th>" + drawing::escaped(c.title) + "</th>";
  out += "</tr>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += table.columns[i].number ? "<td class='n'>" + drawing::grouped(row[i]) + "</td>"
                                     : "<td>" + drawing::escaped(row[i]) + "</td>";
    out += "</tr>\n";
  }
  return out + "</table></div>\n";
}
/// Beside each other where there is room, else one below the other, and a line of words.
inline std::string figure(const std::vector<drawing::Chart>& charts, const std::string& words) {
  std::string out = "<div class='charts'>\n";
  for (const drawing::Chart& chart : charts) out += drawing::svg({chart}, "");
  return out + "</div>\n<p>" + drawing::escaped(words) + "</p>\n";
}
inline std::string ngram_table(const Results& r) {
  std::string out = "<div class='wide'><table><tr><th>order</th>";
  for (std::size_t n = 1; n <= r.ngrams.size(); ++n) out += "<td class='n'>" + std::to_string(n) + "</td>";
  out += "</tr><tr><th>nats per character</th>";
  for (const double loss : r.ngrams) out += "<td class='n'>" + digits(loss, 4) + "</td>";
  return out + "</tr></table></div>\n";
}
/// Empty where nothing of it was measured.
inline std::string long_texts(const Results& r) {
  if (length_charts(r).empty()) return "";
  std::string out = heading("Long texts") + figure(length_charts(r), long_text_words(r));
  if (!measured_in_length(r).empty()) out += html_table(length_table(r), "length");
  if (!measured_in_writing(r).empty()) out += "<p></p>\n" + html_table(writing_table(r), "writing");
  return out;
}
inline std::string samples(const Results& r) {
  const Study& s = r.study;
  std::string out;
  for (std::size_t p = 0; p < s.prompts.size(); ++p) {
    out += "<h3>After <q>" + drawing::escaped(s.prompts[p]) + "</q></h3>\n<div class='wide'><table>\n<tr><th></th>";
    for (const double t : s.temperatures) out += "<th>temperature " + digits(t, 2) + "</th>";
    out += "</tr>\n";
    for (const ModelResult& m : r.models) {
      if (m.samples.empty()) continue;
      out += "<tr><th>" + drawing::escaped(m.entry.label) + "</th>";
      for (std::size_t t = 0; t < s.temperatures.size(); ++t)
        out += "<td><pre>" + drawing::escaped(m.samples[p * s.temperatures.size() + t]) + "</pre></td>";
      out += "</tr>\n";
    }
    out += "</table></div>\n";
  }
  return out;
}

}  // namespace detail

/// The whole study on one page that needs nothing else.
inline std::string html(const Results& r, const std::string& settings) {
  using namespace detail;
  std::string out =
      "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
      "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
      "<title>RWKV and transformers</title>\n<style>"
      "body{font-family:sans-serif;max-width:80em;margin:1em auto;padding:0 1em;overflow-wrap:anywhere}"
      ".wide{overflow-x:auto}.charts{display:flex;flex-wrap:wrap;gap:1em}svg{flex:1 1 22em;min-width:0;height:auto}"
      "table{border-collapse:collapse;font-size:80%;overflow-wrap:normal}"
      "td,th{border:1px solid #ccc;padding:.3em "
      ".4em;vertical-align:top}td.n{text-align:right}td:first-child{white-space:nowrap}"
      "ul{padding-left:1.2em}pre{white-space:pre-wrap;margin:0;overflow-wrap:anywhere}td pre{min-width:16em}</style>\n"
      "</head>\n<body>\n<h1>RWKV and transformers on the same text</h1>\n";
  out += heading("Conclusions") + "<ul>\n";
  for (const std::string& line : conclusions(r)) out += "<li>" + drawing::escaped(line) + "</li>\n";
  out += "</ul>\n";
  if (!r.note.empty()) out += "<p>" + drawing::escaped(r.note) + "</p>\n";
  out += html_table(table(r), "results") +
         "<p>Losses are nats per character. Training loss: mean since the last validation but one. Deviation: of one "
         "seed's validation loss. Slowest and fastest: tokens/s between two validations. A training step takes about "
         "three times the operations of a forward pass.</p>\n";
  out += heading("Learning") +
         figure(learning_charts(r), "Mean over the seeds; bands from the lowest to the highest. " + r.machine) +
         figure({loss_chart(r, &Point::tokens, &Point::train, "Training loss", "tokens"),
                 loss_chart(r, &Point::seconds, &Point::train, "Training loss", "seconds of training")},
                "Mean of the steps between two validations.");
  if (!r.ngrams.empty())
    out += heading("n-grams of the first " + count(double(r.ngram_tokens)) + " characters of the same text") +
           ngram_table(r);
  out += long_texts(r) + heading("Writing") +
         figure(writing_charts(r, &ModelResult::speeds),
                "Medians. A transformer that reaches the end of its window begins anew with half of it.") +
         samples(r) + heading("Settings") + "<pre>" + drawing::escaped(settings) + "</pre>\n</body>\n</html>\n";
  return out;
}

}  // namespace compare
