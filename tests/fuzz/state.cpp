#include <rwkv/inference/state_file.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/v7.hpp>

#include "memory_file.hpp"
#include "targets.hpp"

namespace {
/// A model of zeros, the same everywhere, goes on from what the file says.
template <class Net>
void go_on(const std::string& path) {
  static const rwkv::Model<Net> model(rwkv::Layout<rwkv::Cpu<float>>{});
  static rwkv::Decoder<Net> decoder(model);
  rwkv::load_state(path, decoder);
  fuzz::expect(decoder.feed(1).size() == std::size_t(decoder.vocabulary()), "the logits of the next token");
}
}  // namespace

void fuzz::state(std::string_view input) {
  static MemoryFile file;
  file.hold(input);
  try {
    go_on<rwkv::gpt2::Model<4, 4, 1, 1, 4>>(file.path());
  } catch (const rwkv::Error&) {
    go_on<rwkv::v7::Model<4, 8, 2, 4, 2, 2, 2, 2>>(file.path());
  }
}
