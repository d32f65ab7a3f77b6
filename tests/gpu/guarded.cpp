#include "guarded.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <rwkv/rwkv.hpp>
#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/training/checkpoint.hpp>

#include "../every/lists.hpp"
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

TEST_CASE_TEMPLATE_DEFINE("models, training, text and files keep to the verbs", Net, keep_to_verbs) {
  testing::expect(testing::check_bundles<Net, B>({.cases = 2, .vocabulary = every::vocabulary}));
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
TEST_CASE_TEMPLATE_APPLY(keep_to_verbs, every::layers_of<every::Models>);
