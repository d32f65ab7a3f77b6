// The State is all a model remembers: a value to copy, compare, save and load. Two endings of one beginning.
#include <cstdio>
#include <rwkv/io/safetensors.hpp>
#include <rwkv/rwkv.hpp>
using namespace rwkv;

using Net = v4::Model<256, 64, 2>;

int main() {
  Model<Net> model(3);
  Generator writer{model, SamplerConfig{.temperature = 1, .seed = 1}};
  writer.prefill("Once upon a time");
  const auto here = writer.state();  // a copy
  const auto next = std::vector<float>(writer.logits().begin(), writer.logits().end());

  writer.prefill(" there was a queen.");
  std::printf("reading on changed the state: %s\n", writer.state() == here ? "no" : "yes");

  // Saved, loaded, and read again in other pieces: the same logits to the last bits that rounding leaves.
  save(here, "state.safetensors");
  load(writer.state(), "state.safetensors");
  std::printf("back where we were: %s\n", writer.state() == here ? "yes" : "no");

  Generator other{model};
  for (const char c : std::string("Once upon a time")) other.prefill(std::string(1, c));
  float worst = 0;
  for (std::size_t i = 0; i < next.size(); ++i) worst = std::max(worst, std::abs(next[i] - other.logits()[i]));
  std::printf("whole prompt against one byte at a time: logits differ by at most %g\n", double(worst));
  return writer.state() == here && worst < 1e-5f ? 0 : 1;
}
