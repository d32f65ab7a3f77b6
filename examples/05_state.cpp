// The State is all a model remembers: a value to copy, compare, save and load.
#include <cstdio>
#include <rwkv/io/safetensors.hpp>
#include <rwkv/rwkv.hpp>
using namespace rwkv;

using Net = v4::Model<256, 64, 2>;

int main() {
  Model<Net> model(3);
  const Bytes bytes;
  Decoder decoder{model};
  const auto logits = decoder.prefill(bytes.encode("Once upon a time"));
  const auto here = decoder.state();  // a copy
  const std::vector<float> next(logits.begin(), logits.end());

  decoder.prefill(bytes.encode(" there was a queen."));
  std::printf("reading on changed the state: %s\n", decoder.state() == here ? "no" : "yes");

  save(here, "state.safetensors");
  auto loaded = model.fresh_state();
  load(loaded, "state.safetensors");
  decoder.set_state(loaded);
  std::printf("back where we were: %s\n", decoder.state() == here ? "yes" : "no");

  // The same text in other pieces: the same logits to the last bits that rounding leaves.
  Decoder other{model};
  for (const auto byte : bytes.encode("Once upon a time")) other.feed(byte);
  float worst = 0;
  for (std::size_t i = 0; i < next.size(); ++i) worst = std::max(worst, std::abs(next[i] - other.logits()[i]));
  std::printf("whole prompt against one byte at a time: logits differ by at most %g\n", double(worst));
  return decoder.state() == here && worst < 1e-5f ? 0 : 1;
}
