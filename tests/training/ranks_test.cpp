#include <doctest/doctest.h>

#include <rwkv/distributed/threads.hpp>
#include <rwkv/models/gpt2_study.hpp>
#include <rwkv/models/v1.hpp>

#include "counted_rank.hpp"
#include "sgd.hpp"
#include "small_run.hpp"

using namespace rwkv;

namespace {

constexpr Seq seq{4, 16};

TrainConfig config(bool sharded = false) {
  return {.schedule = {.learning_rate = 1e-3}, .sharded = sharded};
}

/// A source that knows nothing of rows.
struct Plain {
  ContiguousBatches inner;
  Seq seq() const { return inner.seq(); }
  void fill(dim_t step, Minibatch& batch) const { inner.fill(step, batch); }
};

/// What training comes to.
struct Run {
  std::vector<double> losses, norms;
  std::vector<std::vector<float>> params;  // of every rank
  double farthest_from(const Run& other) const {
    double most = 0;
    for (std::size_t i = 0; i < losses.size(); ++i) most = std::max(most, std::abs(losses[i] - other.losses[i]));
    return most;
  }
};
template <class Net = test::Net, class B = Cpu<float>, class Config>
Run trained(int ranks, dim_t steps, const Config& config, const Batches& source = RandomWindows(test::text(), seq)) {
  Run all;
  all.params.resize(std::size_t(ranks));
  run_in_threads(ranks, [&](ThreadRank rank) {
    Model<Net, B> model(1);
    Trainer trainer(model, config, seq, rank);
    for (dim_t i = 0; i < steps; ++i) {
      Minibatch batch;
      source.fill(i, batch);
      const double loss = trainer.step(batch);
      if (rank.rank() == 0) all.losses.push_back(loss), all.norms.push_back(trainer.gradient_norm());
    }
    for (const auto x : model.params.download()) all.params[std::size_t(rank.rank())].push_back(float(x));
  });
  return all;
}

}  // namespace

TEST_CASE("ranks do what one does alone, up to rounding, and again to the bit, sharded or not") {
  const Run alone = trained(1, 40, config());
  CHECK(alone.losses.front() - alone.losses.back() > 1);
  for (const int ranks : {2, 4}) {
    const Run all = trained(ranks, 40, config()), again = trained(ranks, 40, config()),
              shards = trained(ranks, 40, config(true));
    CHECK(all.farthest_from(alone) < 1e-5);
    for (std::size_t i = 0; i < 40; ++i) CHECK(all.norms[i] == doctest::Approx(alone.norms[i]).epsilon(1e-4));
    for (const auto& params : all.params) CHECK(params == all.params.front());
    CHECK(again.losses == all.losses);
    CHECK(again.params == all.params);
    CHECK(shards.losses == all.losses);
    CHECK(shards.params == all.params);
    CHECK(all.params.front() != alone.params.front());  // else nothing was shared out
  }
}

TEST_CASE("gradients that travel as bf16 take half the bytes, and train almost as those in full precision" *
          doctest::test_suite("accuracy")) {
  const auto as = [](bool bf16, bool sharded) {
    TrainConfig with = config(sharded);
    with.bf16_gradients = bf16;
    return with;
  };
  const Run full = trained(2, 100, as(false, false)), reduced = trained(2, 100, as(true, false)),
            again = trained(2, 100, as(true, false)), shards = trained(2, 100, as(true, true));
  for (const Run& other : {again, shards}) {
    CHECK(other.losses == reduced.losses);
    CHECK(other.norms == reduced.norms);
    CHECK(other.params == reduced.params);
  }
  CHECK(reduced.params.front() != full.params.front());
  for (std::size_t i = 0; i < 100; ++i) CHECK(reduced.losses[i] == doctest::Approx(full.losses[i]).epsilon(0.01));
  CHECK(trained(1, 5, as(true, true)).params == trained(1, 5, as(false, false)).params);  // nothing travels

  const auto sent = [&](bool bf16, bool sharded) {
    test::SentBytes sent[3];
    run_in_threads(3, [&](ThreadRank rank) {
      Model<test::Net> model(1);
      Trainer trainer(model, as(bf16, sharded), {3, 16}, test::CountedRank(rank, &sent[rank.rank()]));
      trainer.step(RandomWindows(test::text(), {3, 16}).at(0));
    });
    return sent[2];
  };
  for (const bool sharded : {false, true}) {
    const test::SentBytes whole = sent(false, sharded), half = sent(true, sharded);
    CHECK(whole.sums == 2 * half.sums);
    CHECK(whole.gathered == half.gathered);
    CHECK(half.sums > 1000);
  }
}

TEST_CASE("ranks take their rows of every kind of batch, and drop what one alone would drop") {
  using Dropping = gpt2::study::Model<256, 8, 2, 2, 32>;
  const auto agree = [&]<class Net>(const auto& config, const Batches& source) {
    const Run alone = trained<Net>(1, 10, config, source), two = trained<Net>(2, 10, config, source);
    CHECK(two.farthest_from(alone) < 1e-5);
  };
  const ContiguousBatches in_order(test::text(), seq);
  agree.template operator()<Dropping>(config(), RandomWindows(test::text(), seq));
  agree.template operator()<test::Net>(TrainConfig{.accumulate = 3, .carry = true}, in_order);
  agree.template operator()<test::Net>(config(), Plain{in_order});
  agree.template operator()<test::Net>(BasicTrainConfig<test::Sgd>{.schedule = {.learning_rate = 0.1}}, in_order);
  const Run one = trained(2, 5, BasicTrainConfig<test::Sgd>{}),
            shards = trained(2, 5, BasicTrainConfig<test::Sgd>{.sharded = true});
  CHECK(one.params == shards.params);
}

TEST_CASE("sharded, a rank keeps moments and full-precision parameters of half the model") {
  using B = Cpu<bf16>;
  const auto bytes = [](int ranks, bool sharded) {
    std::vector<dim_t> kept(std::size_t(ranks), 0);
    run_in_threads(ranks, [&](ThreadRank rank) {
      Model<test::Net, B> model(1);
      Trainer trainer(model, config(sharded), seq, rank);
      for (const CheckpointPart& part : trainer.parts())
        if (part.name != "state.")
          for (const Leaf& leaf : part.own.leaves) kept[std::size_t(rank.rank())] += leaf.bytes();
    });
    return kept;
  };
  const double whole = double(bytes(1, true)[0]);
  CHECK(double(bytes(2, false)[1]) == whole);
  for (const dim_t part : bytes(2, true)) CHECK(double(part) < 0.55 * whole);
  for (const dim_t part : bytes(4, true)) CHECK(double(part) < 0.3 * whole);
  const Run all = trained<test::Net, B>(4, 20, config()), shards = trained<test::Net, B>(4, 20, config(true));
  CHECK(all.losses == shards.losses);
  CHECK(all.params == shards.params);
}

TEST_CASE("a checkpoint does not know how many ranks made it, nor whether they were sharded") {
  const test::Folder folder;
  const ContiguousBatches source(test::text(), seq);
  using Early = v1::Model<256, 8, 1, 2, 4, 8, 16, activation::Silu, v1::Parity>;  // not all of it is trained
  const auto go_on = [&]<class Net, class B>(int ranks, bool sharded, const std::string& from, const std::string& to) {
    std::vector<double> losses;
    TrainConfig as = config(sharded);
    as.carry = !std::is_same_v<Net, Early>;  // which has a context to begin anew in
    run_in_threads(ranks, [&](ThreadRank rank) {
      Model<Net, B> model(77);
      Trainer trainer(model, as, seq, rank);
      if (!from.empty()) load_checkpoint(trainer, folder / from);
      for (dim_t i = trainer.steps(), end = i + 5; i < end; ++i) {
        const double loss = trainer.step(source.at(i));
        if (rank.rank() == 0) losses.push_back(loss);
      }
      save_checkpoint(trainer, folder / to);
    });
    return losses;
  };
  const auto check = [&]<class Net, class B>() {
    const auto on = [&](auto... with) { return go_on.template operator()<Net, B>(with...); };
    on(1, false, "", "start");
    on(2, true, "start", "two"), on(2, false, "start", "two_whole");
    CHECK(test::read(folder / "two") == test::read(folder / "two_whole"));
    on(1, false, "start", "one");
    const auto expected = on(1, false, "one", "next");
    for (const int ranks : {1, 2, 4}) {
      const auto found = on(ranks, true, "two", "next");
      for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-5));
    }
    CHECK(on(4, true, "two", "next") == on(4, false, "two", "next"));
  };
  check.template operator()<test::Net, Cpu<float>>();
  check.template operator()<test::Net, Cpu<bf16>>();
  check.template operator()<Early, Cpu<bf16>>();
}

TEST_CASE("what ranks cannot share alike is refused, with the nearest batch that they can") {
  const auto said = [](dim_t batch, int ranks) { return test::message<Error>([&] { rows_of(batch, 0, ranks); }); };
  CHECK(said(8, 4).empty());
  CHECK(said(8, 3) ==
        "batch: expected a multiple of 3, as many sequences for each of 3 ranks, found 8; the nearest is 9");
  CHECK(test::says(said(7, 3), "the nearest is 6"));
  CHECK(test::says(said(1, 4), "the nearest is 4"));
  CHECK(rows_of(8, 3, 4) == Share{6, 2});
  run_in_threads(3, [&](ThreadRank rank) {
    Model<test::Net> model(1);
    const auto error = test::message<Error>([&] { Trainer(model, config(), {8, 16}, rank); });
    if (rank.rank() == 0) CHECK(error == said(8, 3));
  });
}

TEST_CASE("a bad number in one rank stops all") {
  std::string stopped[2];
  run_in_threads(2, [&](ThreadRank rank) {
    Model<test::Net> model(1);
    if (rank.rank() == 1) model.params.data()[0] = std::nanf("");
    Trainer trainer(model, config(), {2, 4}, rank);
    stopped[rank.rank()] = test::message<NotFinite>([&] { trainer.step({{1, 4}, {0, 1, 2, 3}, {1, 2, 3, 4}, false}); });
  });
  CHECK(stopped[0] == stopped[1]);
  CHECK_MESSAGE(test::says(stopped[0], "step 0: the loss, with parameter emb.weight, is not finite"), stopped[0]);
}

TEST_CASE("a bad gradient in one rank stops all, which name the same tensor, and go on") {
  for (const bool sharded : {false, true})
    for (const bool last : {false, true}) {  // of the tensors, which are in shares of other ranks
      std::string stopped[3];
      run_in_threads(3, [&](ThreadRank rank) {
        Model<test::Net> model(1);
        Trainer trainer(model, config(sharded), {3, 4}, rank);
        const auto batch = ContiguousBatches(test::text(), {3, 4}).at(0);
        trainer.accumulate(batch);
        const Leaf& leaf = last ? trainer.gradient().leaves().back() : trainer.gradient().leaves().front();
        if (rank.rank() == 1) trainer.gradient().data()[leaf.offset] = std::nanf("");
        stopped[rank.rank()] = test::message<NotFinite>([&] { trainer.update(); });
        if (!test::says(stopped[rank.rank()], "step 0: the gradient, with gradient of " + leaf.name + ", is not"))
          stopped[rank.rank()] += " instead of " + leaf.name;
        trainer.step(batch);
      });
      for (const std::string& words : stopped) CHECK(words == stopped[0]);
      CHECK_MESSAGE((!stopped[0].empty() && !test::says(stopped[0], "instead of")), stopped[0]);
    }
}
