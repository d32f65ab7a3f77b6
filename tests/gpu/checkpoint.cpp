#include <rwkv/training/checkpoint.hpp>

#include "../io/folder.hpp"
#include "both_machines.hpp"

using namespace test;

template <class Pair>
void move_checkpoint(double allowed) {
  const test::Folder folder;
  Pair both;
  both.train(0, 4);
  save_checkpoint(both.at_home, folder / "home");
  load_checkpoint(both.over_there, folder / "home");
  CHECK(both.home.params.download() == both.there.params.download());
  save_checkpoint(both.over_there, folder / "there");
  CHECK(test::read(folder / "home") == test::read(folder / "there"));
  CHECK(both.over_there.steps() == both.at_home.steps());
  CHECK(both.train(4, 4) < allowed);
}
TEST_CASE("a checkpoint moves between machines unchanged") {
  move_checkpoint<Both<Rwkv, float>>(1e-4);
  move_checkpoint<Both<Rwkv, bf16>>(std::numeric_limits<bf16>::epsilon());
}
