#include <cmath>
#include <filesystem>

#include <rwkv/io/load.hpp>
#include <rwkv/models/v4.hpp>

#include <doctest/doctest.h>

#include "logits_of.hpp"

using namespace rwkv;

// A small RWKV-4 that others trained, in the files and with the logits that rwkv.cpp made: all of ours against theirs.
TEST_CASE("a trained model gives the recorded logits") {
  const std::string folder = std::string(RWKV_SHARED_DIR) + "/data/rwkv-tiny/";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: no trained models at " << folder);
    return;
  }
  std::vector<float> expected(256);
  std::memcpy(expected.data(), MappedFile(folder + "expected-logits-4v0-660K.bin").bytes().data(), 1024);
  const std::vector<std::int32_t> prompt{'"', 'i', 'n'};
  Model<v4::Model<256, 128, 4, 256>> model;
  for (const auto& [file, allowed] :
       {std::pair{"tiny-rwkv-4v0-660K-FP32.bin", 1e-4}, {"tiny-rwkv-4v0-660K-FP16.bin", 1e-2}}) {
    load(model, folder + file);
    for (const dim_t piece : {3, 1}) {  // all at once, and one by one
      const auto logits = test::logits_of(model, prompt, {1, 3}, piece);
      CHECK(test::distance(std::span(logits).last(256), expected) < allowed);
    }
  }
}
