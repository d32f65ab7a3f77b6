#pragma once
#include <cmath>

#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/gpt2_study.hpp>
#include <rwkv/models/size_match.hpp>
#include <rwkv/models/v1.hpp>
#include <rwkv/models/v4.hpp>

#include "contender.hpp"
#include "train.hpp"

namespace compare {

template <int Layers, int Heads>
struct Gpt2 {
  template <dim_t N>
  using of = rwkv::gpt2::Model<vocabulary, Heads * N, Layers, Heads, window>;
};
template <int Layers, int Heads>
struct StudyTransformer {
  template <dim_t N>
  using of = rwkv::gpt2::study::Model<vocabulary, Heads * N, Layers, Heads, window>;
};

/// As in the study, every head is as wide as the model.
template <int Layers, int Heads, class Activation>
struct StudyRwkv {
  template <dim_t N>
  using of = rwkv::v1::Model<vocabulary, 2 * N, Layers, Heads, 2 * N, 2 * N, window, Activation>;
};

/// An RWKV-4 of that width and depth, and models of the same depth and as many parameters: each is one line. Heads: of
/// transformers, and of the study's RWKV.
template <dim_t Width, int Layers, int Heads, int StudyHeads>
std::vector<Contender> contenders() {
  using Reference = rwkv::v4::Model<vocabulary, Width, Layers>;
  std::vector<Contender> all;
  const auto add = [&]<class Net>(const char* name, dim_t width, int heads, Net*) {
    std::string shape = "width " + std::to_string(width) + ", " + std::to_string(Layers) + " layers";
    if (heads > 0) shape += ", " + std::to_string(heads) + " heads";
    all.push_back({name, shape, &facts_of<Net>, &train<Net>});
  };
  const auto match = [&]<class Family>(const char* name, int heads, dim_t step, Family*) {
    using Match = rwkv::SizeMatch<Reference, Family>;
    add(name, step * Match::n, heads, static_cast<typename Match::type*>(nullptr));
  };
  add("rwkv4", Width, 0, static_cast<Reference*>(nullptr));
  match("gpt2", Heads, Heads, static_cast<Gpt2<Layers, Heads>*>(nullptr));
  all.push_back(all.back());
  all.back().name = "gpt2-scaled";
  all.back().start = std::sqrt(768.f / float(Width));  // its deviation of 0.02 suits a width of 768
  match("study-gpt", Heads, Heads, static_cast<StudyTransformer<Layers, Heads>*>(nullptr));
  using namespace rwkv::activation;
  match("v1-silu", StudyHeads, 2, static_cast<StudyRwkv<Layers, StudyHeads, Silu>*>(nullptr));
  match("v1-relu", StudyHeads, 2, static_cast<StudyRwkv<Layers, StudyHeads, Relu>*>(nullptr));
  return all;
}

}  // namespace compare
