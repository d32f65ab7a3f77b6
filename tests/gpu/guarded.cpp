#include "guarded.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <doctest/doctest.h>

#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/v7.hpp>
#include <rwkv/rwkv.hpp>
#include <rwkv/training/checkpoint.hpp>

#include "../every/list.hpp"
#include "../io/folder.hpp"

// Nothing reads or writes a machine's memory but by its verbs: what would crash on a GPU crashes here. Kernels that
// read the processor's memory are not found out by this.
using namespace rwkv;

namespace {
using B = test::Guarded<float>;
const std::string words = "now how, who won";  // of no more characters than the models know
}  // namespace

TEST_CASE("memory that is touched without a verb stops the program") {
  float* const p = B::allocate(4);
  B::fill(p, 4, 1);
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGSEGV, SIG_DFL);
    ::_exit(p[1] == 1 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  B::deallocate(p);
}

TEST_CASE_TEMPLATE("training, text and files keep to the verbs", Net,
                   v7::Model<every::vocabulary, 12, 2, 6, 2, 2, 2, 2>, gpt2::Model<every::vocabulary, 12, 2, 3, 256>) {
  const test::Folder folder;
  const Corpus text = Corpus::of_text(words + words, Characters(words));
  Model<Net, B> model;
  Trainer trainer(model, TrainConfig{.l2wrap = official_l2wrap}, Seq{2, 8});
  for (const auto& batch : RandomWindows(text, trainer.seq()).first(2)) trainer.step(batch);
  trainer.evaluate(RandomWindows(text, trainer.seq()), 1);
  save_checkpoint(trainer, folder / "checkpoint");
  load_checkpoint(trainer, folder / "checkpoint");
  Generator write(model, text.tokenizer());
  CHECK(write("how", 5).size() == 5);
  Decoder read(model);
  read.prefill(text.tokenizer().encode("how now"));
  const auto copy = read.state();
  CHECK(copy == read.state());
}
