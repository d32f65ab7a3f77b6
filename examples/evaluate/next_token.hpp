#pragma once
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <rwkv/core/number_text.hpp>
#include <rwkv/inference/score.hpp>
#include <rwkv/io/atomic_file.hpp>

#include "../checked_output.hpp"

namespace example {

/// The numbers of "3,17,4". Error for other texts.
inline std::vector<std::int32_t> token_list(const std::string& text) {
  std::vector<std::int32_t> ids;
  const char *at = text.data(), *const end = at + text.size();
  for (bool more = true; more; more = at != end && *at++ == ',') {
    std::int32_t id = -1;
    const auto [stop, failed] = std::from_chars(at, end, id);
    if (failed != std::errc() || id < 0 || (stop != end && *stop != ','))
      throw rwkv::Error("--ids: expected numbers of tokens with commas between them, as 3,17,4; found ",
                        rwkv::in_quotes(text));
    ids.push_back(id);
    at = stop;
  }
  return ids;
}

/// Raw numbers, four bytes each, the lowest first.
inline void write_logits(const std::string& path, std::span<const float> logits) {
  rwkv::AtomicFile file(path);
  file.write(std::as_bytes(logits));
  file.commit();
}

/// The likeliest tokens, one a line: number, log-probability, and text where there is a tokenizer.
template <class TextOf>
void print_likeliest(std::span<const float> logits, std::size_t many, const TextOf& text_of) {
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  many = std::min(many, order.size());
  const auto logit = [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; };
  std::partial_sort(
      order.begin(), order.begin() + std::ptrdiff_t(many), order.end(),
      [&](std::int32_t a, std::int32_t b) { return logit(a) > logit(b) || (logit(a) == logit(b) && a < b); });
  order.resize(many);
  for (const std::int32_t id : order)
    print(std::to_string(id) + "  " + rwkv::fixed_text(rwkv::log_probability(logits, id), 4) + "  " + text_of(id) +
          "\n");
}

}  // namespace example
