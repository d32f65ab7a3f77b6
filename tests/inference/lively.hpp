#pragma once
#include <span>
#include <vector>

#include <rwkv/models/model.hpp>

// Models whose outputs say something, and tokens for them to read.
using namespace rwkv;
using Tokens = std::vector<std::int32_t>;

template <class Net>
Model<Net> lively(std::uint64_t seed = 5) {  // away from the zeros of the initial values
  Model<Net> model(1);
  for (dim_t i = 0; i < model.params.size(); ++i)
    model.params.data()[i] += float(0.2 * Random{seed}.normals(std::uint64_t(i))[0]);
  return model;
}
inline Tokens tokens(std::size_t n, std::uint64_t seed) {
  Tokens ids(n);
  for (std::size_t i = 0; i < n; ++i) ids[i] = std::int32_t(Random{seed}.below(64, i));
  return ids;
}
inline std::vector<float> copy(std::span<const float> logits) {
  return {logits.begin(), logits.end()};
}
