#pragma once
#include <rwkv/inference/score.hpp>
#include <rwkv/io/csv_reader.hpp>
#include <rwkv/registry/any_model.hpp>

#include "folder.hpp"
#include "job.hpp"

namespace compare {

/// Positions of a window, both included. At position p a model has read p + 1 characters, and predicts the next.
struct Positions {
  dim_t first, last;
  dim_t size() const { return last - first + 1; }
  std::string name() const { return std::to_string(first) + "-" + std::to_string(last); }
};
/// 0 to 15, then 16 to 31, 32 to 63, ... of a window of that length.
inline std::vector<Positions> stretches(dim_t length) {
  std::vector<Positions> all;
  for (dim_t first = 0, end = 16; first < length; first = end, end *= 2)
    all.push_back({first, std::min(end, length) - 1});
  return all;
}

/// Where the windows begin, evenly over the validation text: as many as are asked for, or fit side by side.
inline std::vector<dim_t> window_starts(const Job& job) {
  const dim_t text = job.texts.valid.size(), many = std::min(job.study.length_windows, text / (job.study.length + 1));
  std::vector<dim_t> starts;
  for (dim_t i = 0; i < many; ++i) starts.push_back(text / many * i);
  return starts;
}

/// The mean loss of every stretch of a window, in nats per character.
using StretchLosses = std::vector<double>;

/// Every window, read from its first character on as whoever writes with the model has it read: the state goes on over
/// all of it, and a model of limited context begins anew with half of its window each time that it is full.
inline std::vector<StretchLosses> losses_by_position(const Job& job, const rwkv::AnyModel& model) {
  constexpr dim_t together = 8;  // windows side by side
  const rwkv::Corpus& text = job.texts.valid;
  const dim_t length = job.study.length;
  const auto starts = window_starts(job);
  const auto parts = stretches(length);
  std::vector<StretchLosses> losses(starts.size(), StretchLosses(parts.size()));
  for (std::size_t first = 0; first < starts.size(); first += together) {
    const dim_t batch = std::min(together, dim_t(starts.size() - first));
    std::vector<std::int32_t> read(std::size_t(batch * length)), expected(read.size());
    for (dim_t b = 0; b < batch; ++b) {
      const dim_t start = starts[first + std::size_t(b)];
      text.read(start, std::span(read).subspan(std::size_t(b * length), std::size_t(length)));
      text.read(start + 1, std::span(expected).subspan(std::size_t(b * length), std::size_t(length)));
    }
    const auto decoder = model.decoder(batch);
    const auto vocabulary = std::size_t(decoder->vocabulary());
    std::size_t part = 0;
    decoder->prefill(read, [&](dim_t t, std::span<const float> logits) {
      if (t > parts[part].last) ++part;
      for (dim_t b = 0; b < batch; ++b)
        losses[first + std::size_t(b)][part] -=
            rwkv::log_probability(logits.subspan(std::size_t(b) * vocabulary, vocabulary),
                                  expected[std::size_t(b * length + t)]) /
            double(parts[part].size());
    });
  }
  return losses;
}

/// A line per window.
inline void measure_length(const Job& job, const rwkv::AnyModel& model) {
  std::string table;
  for (const Positions& part : stretches(job.study.length)) table += (table.empty() ? "" : ",") + part.name();
  for (const StretchLosses& window : losses_by_position(job, model)) {
    std::string line;
    for (const double loss : window) line += (line.empty() ? "\n" : ",") + rwkv::number_text(loss);
    table += line;
  }
  write_file(job.length(), table + "\n");
}
inline std::vector<StretchLosses> read_length(const Job& job) {
  const std::string text = read_file(job.length());
  rwkv::CsvReader table(text, job.length(), measure_again);
  std::vector<StretchLosses> losses;
  while (table.next()) {
    losses.emplace_back();
    for (const Positions& part : stretches(job.study.length))
      losses.back().push_back(table.number(table.column(part.name())));
  }
  table.expect_whole();
  const std::size_t windows = window_starts(job).size();
  if (losses.size() != windows)
    throw rwkv::Error(job.length(), ": expected ", windows, " windows, found ", losses.size(), "; ", measure_again);
  return losses;
}

}  // namespace compare
