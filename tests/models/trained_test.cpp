#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

#include <rwkv/io/mapped_file.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/models/v4.hpp>

using namespace rwkv;

// A small RWKV-4 that others trained, with the logits that others computed: everything of ours against everything of
// theirs.
TEST_CASE("a trained model gives the recorded logits") {
  const std::string folder = std::string(RWKV_SHARED_DIR) + "/data/rwkv-tiny/";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: no trained models at " << folder);
    return;
  }
  // Six numbers of a header, then for each tensor: extents, length of its name, type, sizes (fastest first), name,
  // values.
  const MappedFile file(folder + "tiny-rwkv-4v0-660K-FP32.bin");
  const char* at = reinterpret_cast<const char*>(file.bytes().data());
  const char* const end = at + file.bytes().size();
  const auto take = [&](void* to, std::size_t bytes) {
    REQUIRE(std::size_t(end - at) >= bytes);
    std::memcpy(to, at, bytes);
    at += bytes;
  };
  std::uint32_t header[6];
  take(header, sizeof header);
  REQUIRE(header[0] == 0x67676d66);
  REQUIRE((header[2] == 256 && header[3] == 128 && header[4] == 4 && header[5] == 0));
  std::map<std::string, std::vector<float>> tensors;
  while (at < end) {
    std::uint32_t about[3], sizes[3], count = 1;
    take(about, sizeof about);
    REQUIRE((about[0] <= 3 && about[2] == 0));
    take(sizes, about[0] * sizeof *sizes);
    for (std::uint32_t i = 0; i < about[0]; ++i) count *= sizes[i];
    std::string name(about[1], ' ');
    take(name.data(), name.size());
    auto& values = tensors[name];
    values.resize(count);
    take(values.data(), count * sizeof(float));
  }

  using Net = v4::Model<256, 128, 4, 256>;
  Model<Net> model;
  for_each_leaf(
      [&](const Path& path, auto&, auto& leaf) {
        const auto found = tensors.find(path.name());
        REQUIRE_MESSAGE(found != tensors.end(), path.name());
        REQUIRE(dim_t(found->second.size()) == leaf.size());
        const bool decay = path.name().ends_with("time_decay");  // the file holds -e^time_decay
        for (dim_t i = 0; i < leaf.size(); ++i)
          leaf[i] = decay ? std::log(-found->second[std::size_t(i)]) : found->second[std::size_t(i)];
        tensors.erase(found);
      },
      model.params.view());
  CHECK(tensors.empty());

  const MappedFile recorded(folder + "expected-logits-4v0-660K.bin");
  std::vector<float> expected(256);
  REQUIRE(recorded.bytes().size() == 1024);
  std::memcpy(expected.data(), recorded.bytes().data(), 1024);

  const std::int32_t prompt[] = {'"', 'i', 'n'};
  for (const dim_t piece : {3, 1}) {  // all at once, and one by one
    auto state = model.fresh_state();
    Owned<Cpu<float>, Net::Cache<Cpu<float>>> cache({1, piece});
    Context<Cpu<float>> context;
    const float* logits = nullptr;
    for (dim_t i = 0; i < 3; i += piece)
      logits = Net::forward(context, model.params, TokenIds{prompt + i, {1, piece}}, cache.view(), state.view()).data +
               (piece - 1) * 256;
    double worst = 0;
    for (int i = 0; i < 256; ++i) worst = std::max(worst, double(std::abs(logits[i] - expected[std::size_t(i)])));
    CHECK(worst < 1e-4);
  }
}
