#pragma once
#include <cmath>
#include <string>
#include <vector>

#include <rwkv/registry/find_net.hpp>

#include "nets.hpp"
#include "study.hpp"

namespace compare {

/// A model that can be compared.
struct Contender {
  std::string name;
  const rwkv::RegisteredNet* net;
  int heads;        ///< 0: has none
  float start = 1;  ///< how many times their usual size weights start with

  std::string shape() const {
    const rwkv::NetShape s = net->shape();
    std::string text = "width " + std::to_string(s.width) + ", " + std::to_string(s.layers) + " layers";
    return heads > 0 ? text + ", " + std::to_string(heads) + " heads" : text;
  }
};

/// Error where the net was built without the study's precision: how to build it.
inline void expect_precision(const rwkv::RegisteredNet& net, const Study& study) {
  try {
    (void)net.sizes(study.machine(), {1, 1});
  } catch (const rwkv::Error&) {
    throw rwkv::Error("--precision ", study.precision,
                      ": this program was built without it; configure with -DRWKV_COMPARE_PRECISIONS=\"fp32;bf16\"");
  }
}

/// Those of about that many parameters, "1m", "14m" or "90m", that the program was built with. A new model is a line
/// here, and one in CMakeLists.txt.
inline std::vector<Contender> contenders(const std::string& size) {
  const auto net = [&](const char* name) -> const rwkv::RegisteredNet* {
    const std::string type = std::string("compare::") + name + "<compare::Ladder" + size + ">";
    for (const rwkv::RegisteredNet* each : rwkv::registered_nets())
      if (each->type == type) return each;
    return nullptr;
  };
  struct Common {
    dim_t width;
    int heads, rwkv1_heads;
  };
  const auto of = []<class L>(L) { return Common{L::width, L::heads, L::rwkv1_heads}; };
  const auto [width, heads, rwkv1_heads] = size == "1m"    ? of(Ladder1m())
                                           : size == "14m" ? of(Ladder14m())
                                                           : of(Ladder90m());
  const float scale = std::sqrt(768.f / float(width));  // GPT-2's deviation of 0.02 suits a width of 768
  std::vector<Contender> all{{"rwkv4", net("Rwkv4"), 0},
                             {"rwkv5", net("Rwkv5"), 0},
                             {"rwkv6", net("Rwkv6"), 0},
                             {"rwkv7", net("Rwkv7"), 0},
                             {"gpt2", net("Gpt2"), heads},
                             {"gpt2-scaled", net("Gpt2"), heads, scale},
                             {"study-gpt", net("StudyGpt"), heads},
                             {"v1-silu", net("V1Silu"), rwkv1_heads},
                             {"v1-relu", net("V1Relu"), rwkv1_heads}};
  std::erase_if(all, [](const Contender& each) { return each.net == nullptr; });
  if (all.empty())
    throw rwkv::Error("--size ", size,
                      ": this program was built without it; configure with -DRWKV_COMPARE_SIZES=", size);
  return all;
}

}  // namespace compare
