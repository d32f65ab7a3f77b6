#include <rwkv/training/checkpoint.hpp>

#include "../io/folder.hpp"
#include "both_machines.hpp"

using namespace test;

TEST_CASE("a checkpoint moves between machines unchanged, with the weights that bf16 rounds") {
  const test::Folder folder;
  Both<Rwkv, bf16> both;
  both.train(0, 4);
  save_checkpoint(both.at_home, folder / "home");
  load_checkpoint(both.over_there, folder / "home");
  CHECK(both.home.params.download() == both.there.params.download());
  save_checkpoint(both.over_there, folder / "there");
  CHECK(test::read(folder / "home") == test::read(folder / "there"));
  CHECK(both.over_there.steps() == both.at_home.steps());
  CHECK(both.train(4, 4) < std::numeric_limits<bf16>::epsilon());
}
