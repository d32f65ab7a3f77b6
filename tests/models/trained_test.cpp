#include <filesystem>

#include <rwkv/io/load.hpp>
#include <rwkv/models/v4.hpp>

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

// A small RWKV-4 that others trained, in the files and with the logits that rwkv.cpp made: all of ours against theirs.
TEST_CASE("a trained model gives the recorded logits") {
  if (absent("rwkv-tiny")) return;
  const auto expected = floats("rwkv-tiny/expected-logits-4v0-660K.bin", 256);
  Model<v4::Model<256, 128, 4, 256>> model;
  for (const auto& [file, allowed] : {std::pair{"FP32", 1e-4}, {"FP16", 1e-2}}) {
    load(model, data + "rwkv-tiny/tiny-rwkv-4v0-660K-" + file + ".bin");
    for (const dim_t piece : {3, 1}) {  // all at once, and one by one
      const auto logits = test::logits_of(model, {'"', 'i', 'n'}, {1, 3}, piece);
      CHECK(test::distance(std::span(logits).last(256), expected) < allowed);
    }
  }
}

TEST_CASE("a model gives the official software's logits in every format and naming") {
  if (absent("rwkv-files")) return;
  const std::vector<std::int32_t> tokens{266, 241, 243, 243, 103, 69,  224, 263, 229, 319, 265, 125, 131, 52,
                                         1,   272, 291, 272, 72,  114, 0,   69,  224, 195, 237, 182, 225, 293,
                                         233, 261, 232, 178, 31,  223, 268, 70,  135, 247, 228, 20};
  Model<v4::Model<320, 32, 3, 96>> model;
  for (const auto& [file, expected] : {std::pair{"bin/v4-FP32.bin", "v4.logits.npy"},
                                       {"safetensors/v4-f16.safetensors", "v4_st.rows.npy"},
                                       {"hf/v4-transformers/model.safetensors", "v4_hf.rows.npy"}}) {
    load(model, data + "rwkv-files/" + file);
    const auto logits = test::logits_of(model, tokens, {1, 40}, 40);
    CHECK(test::distance(std::span(logits).last(320), floats(std::string("rwkv-files/expected/") + expected, 320)) <
          1e-4);
  }
}
