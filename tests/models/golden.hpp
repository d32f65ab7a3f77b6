#pragma once
#include <string>
#include <vector>

#include <rwkv/io/load.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/models/v5.hpp>
#include <rwkv/models/v6.hpp>
#include <rwkv/models/v7.hpp>

namespace golden {
using namespace rwkv;

/// The models of golden/small_model.py.
struct Rwkv4 {
  using Net = v4::Model<19, 8, 2, 24>;
  static constexpr const char* name = "rwkv4";
  static constexpr double in_float = 1e-5;
};
template <v5::Kind Of>
struct Rwkv5 {
  using Net = v5::Model<19, 8, 2, 4, Of, 12>;
  static constexpr const char* name = Of == v5::Kind::v5_0 ? "rwkv5_0" : Of == v5::Kind::v5_1 ? "rwkv5_1" : "rwkv5_2";
  static constexpr double in_float = 6e-5;  // weights that are off by half an epsilon change logits by up to 2.8e-5
};
using Rwkv5_0 = Rwkv5<v5::Kind::v5_0>;
using Rwkv5_1 = Rwkv5<v5::Kind::v5_1>;
using Rwkv5_2 = Rwkv5<v5::Kind::v5_2>;
struct Rwkv6 {
  using Net = v6::Model<19, 8, 2, 4, 3, 2, 12>;
  static constexpr const char* name = "rwkv6";
  static constexpr double in_float = 1e-5;
};
struct Rwkv7 {
  using Net = v7::Model<19, 8, 2, 4, 3, 2, 4, 5, 12>;
  static constexpr const char* name = "rwkv7";
  static constexpr double in_float = 1e-5;
};
constexpr Seq seq{2, 35};

template <class Golden>
std::string file(const char* end) {
  return RWKV_TESTS_DIR "/golden/" + std::string(Golden::name) + end;
}
/// The tokens that a model reads, or from the second on, those it should have said.
inline std::vector<std::int32_t> tokens(const TensorSource& expected, int from) {
  std::vector<std::int32_t> all(seq.batch * (seq.time + 1)), some;
  expected.read("tokens", std::vector<dim_t>{seq.batch, seq.time + 1}, std::span(all));
  for (dim_t b = 0; b < seq.batch; ++b)
    some.insert(some.end(), &all[b * (seq.time + 1) + from], &all[b * (seq.time + 1) + from] + seq.time);
  return some;
}

}  // namespace golden
