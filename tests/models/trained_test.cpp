#include <filesystem>

#include <rwkv/io/layout_as_stored.hpp>
#include <rwkv/io/load.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/models/v5.hpp>
#include <rwkv/models/v6.hpp>
#include <rwkv/models/v7.hpp>

#include <doctest/doctest.h>

#include "logits_of.hpp"

using namespace rwkv;

namespace {

const std::string data = std::string(RWKV_SHARED_DIR) + "/data/";

bool absent(const std::string& folder) {
  if (std::filesystem::exists(data + folder)) return false;
  MESSAGE("skipped: no models at " << data + folder);
  return true;
}
/// The last `n` floats of a file.
std::vector<float> floats(const std::string& file, std::size_t n) {
  const MappedFile mapped(data + file);
  std::vector<float> numbers(n);
  REQUIRE(mapped.bytes().size() >= n * sizeof(float));
  std::memcpy(numbers.data(), mapped.bytes().last(n * sizeof(float)).data(), n * sizeof(float));
  return numbers;
}

}  // namespace

// Small models that others trained, in the files and with the logits that rwkv.cpp made: all of ours against theirs.
template <class Net>
void check_trained(const std::string& name, const std::string& file, double allowed) {
  const auto expected = floats("rwkv-tiny/expected-logits-" + name + ".bin", 256);
  const auto source = open_source(data + "rwkv-tiny/tiny-rwkv-" + name + "-" + file + ".bin");
  Model<Net> numbers, kept(layout_as_stored<Net, Cpu<float>>(*source));
  for (Model<Net>* model : {&numbers, &kept}) {
    load(*model, *source);
    for (const dim_t piece : {3, 1}) {  // all at once, and one by one
      const auto logits = test::logits_of(*model, {'"', 'i', 'n'}, {1, 3}, piece);
      CHECK(test::distance(std::span(logits).last(256), expected) < allowed);
    }
  }
}
TEST_CASE("a trained model gives the recorded logits") {
  if (absent("rwkv-tiny")) return;
  check_trained<v4::Model<256, 128, 4, 256>>("4v0-660K", "FP32", 1e-4);
  check_trained<v4::Model<256, 128, 4, 256>>("4v0-660K", "FP16", 1e-2);
  check_trained<v4::Model<256, 128, 4, 256>>("4v0-660K", "Q5_1", 0.2);  // the logits are those of FP32
  check_trained<v7::Model<256, 64, 12>>("7v0-834K", "FP32", 1e-4);
  check_trained<v7::Model<256, 64, 12>>("7v0-834K", "Q5_0", 1e-2);
}

struct Recorded {
  std::string file, logits;
};
template <class Net>
void check_official(const std::vector<std::int32_t>& tokens, const std::vector<Recorded>& files) {
  constexpr dim_t V = vocabulary<Net>;
  Model<Net> model;
  for (const Recorded& one : files) {
    INFO(one.file);
    load(model, data + "rwkv-files/" + one.file);
    const auto expected = floats("rwkv-files/expected/" + one.logits, V);
    for (const dim_t piece : {40, 1}) {
      const auto logits = test::logits_of(model, tokens, {1, 40}, piece);
      CHECK(test::distance(std::span(logits).last(V), expected) < 1e-4);
    }
  }
}
TEST_CASE("a model gives the official software's logits in every format and naming") {
  if (absent("rwkv-files")) return;
  check_official<v4::Model<320, 32, 3, 96>>(
      {266, 241, 243, 243, 103, 69,  224, 263, 229, 319, 265, 125, 131, 52,  1,   272, 291, 272, 72,  114,
       0,   69,  224, 195, 237, 182, 225, 293, 233, 261, 232, 178, 31,  223, 268, 70,  135, 247, 228, 20},
      {{"bin/v4-FP32.bin", "v4.logits.npy"},
       {"safetensors/v4-f16.safetensors", "v4_st.rows.npy"},
       {"hf/v4-transformers/model.safetensors", "v4_hf.rows.npy"}});
  check_official<v5::Model<200, 24, 3, 12, v5::Kind::v5_0, 40>>(
      {195, 33, 85, 85,  181, 75,  31,  187, 17,  199, 158, 51, 32, 194, 78, 165, 150, 102, 185, 182,
       0,   75, 31, 103, 98,  109, 105, 79,  126, 13,  122, 89, 87, 64,  24, 109, 159, 173, 58,  108},
      {{"safetensors/v50-f16.safetensors", "v50_st.rows.npy"}});
  check_official<v5::Model<200, 24, 3, 8, v5::Kind::v5_1, 40>>(
      {30, 38,  104, 104, 177, 114, 141, 131, 146, 199, 51,  176, 46,  193, 44, 51,  61, 80,  98,  181,
       0,  114, 141, 112, 62,  8,   63,  166, 45,  47,  183, 171, 149, 107, 81, 107, 90, 194, 126, 35},
      {{"safetensors/v51-bf16.safetensors", "v51_st.rows.npy"}});
  check_official<v5::Model<200, 32, 3, 16, v5::Kind::v5_2, 64>>(
      {86, 95,  68, 68, 123, 183, 44, 124, 147, 199, 131, 141, 88,  1,  118, 190, 154, 155, 182, 47,
       0,  183, 44, 17, 33,  166, 12, 46,  29,  40,  45,  32,  137, 74, 170, 87,  29,  37,  182, 159},
      {{"bin/v52-FP32.bin", "v52.logits.npy"}, {"safetensors/v52-f16.safetensors", "v52_st.rows.npy"}});
  check_official<v6::Model<200, 32, 3, 16, 8, 12, 64>>(
      {56, 46,  2,   2,   95,  149, 156, 121, 86, 199, 72,  65,  80, 21,  64,  80, 138, 191, 68,  51,
       0,  149, 156, 153, 109, 68,  115, 27,  12, 74,  137, 169, 10, 179, 149, 77, 155, 109, 116, 199},
      {{"bin/v6-FP32.bin", "v6.logits.npy"}, {"safetensors/v6-bf16.safetensors", "v6_st.rows.npy"}});
  check_official<v7::Model<200, 32, 3, 16, 8, 12, 4, 16, 64>>(
      {181, 81,  20, 20,  161, 135, 80, 32, 67, 199, 82,  19,  51, 74, 3, 13,  122, 192, 85,  71,
       0,   135, 80, 177, 67,  114, 47, 53, 21, 163, 168, 112, 64, 13, 8, 169, 101, 178, 104, 38},
      {{"bin/v7-FP32.bin", "v7.logits.npy"}, {"safetensors/v7-f16.safetensors", "v7_st.rows.npy"}});
}
