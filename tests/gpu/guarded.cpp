#include "guarded.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <rwkv/layers/recompute.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/gpt2_study.hpp>
#include <rwkv/models/v1.hpp>
#include <rwkv/rwkv.hpp>
#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/training/checkpoint.hpp>

#include "../io/folder.hpp"

// Nothing reads or writes a machine's memory but by its verbs: what would crash on a GPU crashes here. Kernels that
// read the processor's memory are not found out by this.
using namespace rwkv;

namespace {
constexpr dim_t V = 64;
using B = test::Guarded<float>;
struct Rwkv4 : Sequential<Named<"emb", Embedding<V, 12>>, Named<"first", Recompute<v4::Block<12>>>,
                          Named<"second", v4::Block<12>>, Linear<12, V>> {};
using Rwkv1 = v1::Model<V, 12, 2, 2, 6, 12, 64>;
using Gpt2 = gpt2::Model<V, 12, 2, 3, 64>;
using Study = gpt2::study::Model<V, 12, 2, 6, 64>;
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

TEST_CASE_TEMPLATE("layers, training, text and files keep to the verbs", Net, Rwkv4, Rwkv1, Gpt2, Study) {
  testing::expect(testing::check_bundles<Net, B>({.cases = 2, .vocabulary = V}));
  const test::Folder folder;
  const Corpus text =
      Corpus::of_text("how now brown cow, the rain in spain", Characters("how now brown cow, the rain in spain"));
  Model<Net, B> model;
  Trainer trainer(model, TrainConfig{.l2wrap = official_l2wrap}, Seq{2, 8});
  for (const auto& batch : RandomWindows(text, trainer.seq()).first(2)) trainer.step(batch);
  trainer.evaluate(RandomWindows(text, trainer.seq()), 1);
  save_checkpoint(trainer, folder / "checkpoint");
  load_checkpoint(trainer, folder / "checkpoint");
  Generator write(model, text.tokenizer());
  CHECK(write("how now", 5).size() == 5);
  Decoder read(model);
  read.prefill(text.tokenizer().encode("how now"));
  const auto copy = read.state();
  CHECK(copy == read.state());
}
