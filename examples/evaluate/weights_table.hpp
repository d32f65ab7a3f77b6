#pragma once
#include <memory>
#include <string>
#include <vector>

#include <rwkv/registry/any_model.hpp>

#include "../checked_output.hpp"
#include "score_text.hpp"

namespace example {

/// A way to keep matrices, and how much worse it may be than fp32 to be called good: per cent of perplexity, and of
/// tokens that are the likeliest in both.
struct WeightsBound {
  const char* weights;
  double perplexity, equal;
};
inline constexpr WeightsBound weights_bounds[] = {
    {"fp32", 0, 100}, {"bf16", 1, 97}, {"q8_0", 0.1, 99}, {"q5_1", 1, 97}, {"q4_0", 4, 90}};

struct WeightsRow {
  WeightsBound bound;
  double megabytes, perplexity;
  double more, equal;  ///< than fp32's, in per cent of it; per cent of the likeliest tokens that are fp32's
  bool good() const { return std::abs(more) <= bound.perplexity && equal >= bound.equal; }
};

/// What each way to keep a model's matrices costs on a text: open(weights) opens it so.
template <class Open>
std::vector<WeightsRow> weights_rows(const Open& open, rwkv::dim_t batch, const rwkv::Corpus& text) {
  std::vector<WeightsRow> rows;
  std::vector<std::int32_t> first;
  for (const WeightsBound& bound : weights_bounds) {
    const std::unique_ptr<rwkv::AnyModel> model = open(bound.weights);
    std::vector<std::int32_t> likeliest;
    const TextScore score = score_text(*model->decoder(std::min(batch, text.size())), text, &likeliest);
    if (rows.empty()) first = likeliest;
    double equal = 0;
    for (std::size_t i = 0; i < first.size(); ++i) equal += first[i] == likeliest[i];
    const double perplexity = score.perplexity(), base = rows.empty() ? perplexity : rows.front().perplexity;
    rows.push_back({bound, double(model->bytes()) * 1e-6, perplexity, 100 * (perplexity / base - 1),
                    100 * equal / double(first.size())});
  }
  return rows;
}

inline void print_weights_table(const std::vector<WeightsRow>& rows) {
  print("| weights | MB | perplexity | more, % (at most) | same next token, % (at least) |\n|---|---|---|---|---|\n");
  for (const WeightsRow& row : rows)
    print(std::string("| ") + row.bound.weights + " | " + rwkv::fixed_text(row.megabytes, 1) + " | " +
          rwkv::fixed_text(row.perplexity, 4) + " | " + rwkv::fixed_text(row.more, 3) + " (" +
          rwkv::number_text(row.bound.perplexity) + ") | " + rwkv::fixed_text(row.equal, 2) + " (" +
          rwkv::number_text(row.bound.equal) + ") |\n");
}

/// Error that names the first that is not good.
inline void expect_good(const std::vector<WeightsRow>& rows) {
  for (const WeightsRow& row : rows)
    if (!row.good())
      throw rwkv::Error("--weights-table: expected ", row.bound.weights, " to cost at most ", row.bound.perplexity,
                        " % of perplexity and to keep ", row.bound.equal, " % of the likeliest tokens, found ",
                        rwkv::fixed_text(row.more, 3), " % and ", rwkv::fixed_text(row.equal, 2), " %");
}

}  // namespace example
