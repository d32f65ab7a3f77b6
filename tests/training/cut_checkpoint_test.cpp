#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/sequential.hpp>
#include <rwkv/training/checkpoint.hpp>

#include "../io/folder.hpp"

using namespace rwkv;

namespace {
struct Net : Sequential<Named<"emb", Embedding<4, 2>>, Named<"head", Linear<2, 4>>> {};
}  // namespace

TEST_CASE("a checkpoint cut short anywhere is refused, and the trainer stays as it was") {
  const test::Folder folder;
  Model<Net> saved(1), model(2);
  Trainer writer(saved, TrainConfig{}, Seq{1, 2}), trainer(model, TrainConfig{}, Seq{1, 2});
  save_checkpoint(writer, folder / "whole");
  const Model<Net> before(2);
  const std::string whole = test::read(folder / "whole");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    INFO("after ", n, " of ", whole.size(), " bytes");
    test::write(folder / "cut", whole.substr(0, n));
    CHECK_THROWS_AS(load_checkpoint(trainer, folder / "cut"), Error);
  }
  CHECK(model.params == before.params);
  load_checkpoint(trainer, folder / "whole");
  CHECK(model.params == saved.params);
}

TEST_CASE("what a checkpoint says is shown short, and nothing in it is obeyed") {
  const test::Folder folder;
  Model<Net> model;
  Trainer trainer(model, TrainConfig{}, Seq{1, 2});
  const std::string hostile = "\x1b[2J" + std::string(100'000, 'x');
  for (const char* key : {"steps", "checkpoint"}) {
    Metadata metadata{{"steps", "1"}, {"checkpoint", checkpoint_version}};
    metadata[key] = hostile;
    save(model, folder / "a", metadata);
    const std::string found = test::message<Error>([&] { load_checkpoint(trainer, folder / "a"); });
    CHECK_MESSAGE(found.find("found \\x1B[2Jxxx") != found.npos, found.substr(0, 500));
    CHECK(found.size() < 500);
  }
}
