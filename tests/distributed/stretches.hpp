#pragma once
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <rwkv/core/shape.hpp>

// A text cut over ranks: rank r has tokens cuts[r] to cuts[r + 1] of every sequence.
namespace across_test {

using namespace rwkv;

using Cuts = std::vector<dim_t>;

inline int ranks_of(const Cuts& cuts) {
  return static_cast<int>(cuts.size()) - 1;
}

inline Cuts even_cuts(dim_t time, int ranks) {
  Cuts cuts;
  for (int r = 0; r <= ranks; ++r) cuts.push_back(time * r / ranks);
  return cuts;
}

/// Stretches of any length, also of no tokens at all, of a text long enough that no sum over its tokens all but
/// vanishes.
inline Cuts random_cuts(std::mt19937& random, int ranks) {
  constexpr dim_t lengths[] = {0, 0, 1, 2, 17, 31, 32, 33, 61, 127};
  Cuts cuts(std::size_t(ranks) + 1);
  for (std::size_t r = 1; r < cuts.size(); ++r) cuts[r] = cuts[r - 1] + lengths[random() % std::size(lengths)];
  cuts.back() = std::max<dim_t>(cuts.back(), 17);
  return cuts;
}
/// Of a text of one rank or several.
inline Cuts random_cuts(std::mt19937& random) {
  constexpr int ranks[] = {1, 2, 3, 5};
  return random_cuts(random, ranks[random() % std::size(ranks)]);
}

inline std::string in_words(const Cuts& cuts) {
  std::string text = "stretches of";
  for (std::size_t r = 1; r < cuts.size(); ++r) text += " " + std::to_string(cuts[r] - cuts[r - 1]);
  return text;
}

/// Some tokens of (batch, time, width), one after the other.
template <class T>
std::vector<T> tokens(const std::vector<T>& all, Seq seq, dim_t from, dim_t to) {
  std::vector<T> some;
  const dim_t width = std::ssize(all) / std::max<dim_t>(1, seq.tokens());
  for (dim_t b = 0; b < seq.batch; ++b)
    some.insert(some.end(), all.begin() + (b * seq.time + from) * width, all.begin() + (b * seq.time + to) * width);
  return some;
}
/// Puts them back.
template <class T>
void put_tokens(const std::vector<T>& some, std::vector<T>& all, Seq seq, dim_t from, dim_t to) {
  const dim_t width = std::ssize(all) / std::max<dim_t>(1, seq.tokens()), n = (to - from) * width;
  for (dim_t b = 0; b < seq.batch; ++b)
    std::copy_n(some.begin() + b * n, n, all.begin() + (b * seq.time + from) * width);
}

/// What nobody may read.
template <class T>
void spoil(std::vector<T>& x) {
  std::fill(x.begin(), x.end(), T(std::nanf("")));
}

}  // namespace across_test
