#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/sequential.hpp>
#include <rwkv/training/checkpoint.hpp>

#include "memory_file.hpp"
#include "targets.hpp"

namespace {
struct Net : rwkv::Sequential<rwkv::Named<"emb", rwkv::Embedding<4, 2>>, rwkv::Named<"head", rwkv::Linear<2, 4>>> {};
}  // namespace

void fuzz::checkpoint(std::string_view input) {
  static rwkv::Model<Net> model;
  static rwkv::Trainer trainer(model, rwkv::TrainConfig{}, rwkv::Seq{.batch = 1, .time = 2});
  static MemoryFile file;
  file.hold(input);
  rwkv::load_checkpoint(trainer, file.path());
  expect(trainer.steps() >= 0, "steps that can be counted");
}
