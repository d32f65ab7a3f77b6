#pragma once
#include <map>
#include <string>
#include <vector>

#include <rwkv/io/tensor_source.hpp>

namespace reference {

/// What a model says after each token, and what it then remembers: its state's fields by name.
struct Run {
  std::vector<float> logits;
  std::map<std::string, std::vector<float>> state;
};
using Runner = Run (*)(const rwkv::TensorSource& source, std::vector<std::int32_t> tokens);

/// How the nets that are linked in run, by their types.
inline std::map<std::string, Runner>& runners() {
  static std::map<std::string, Runner> all;
  return all;
}

}  // namespace reference
