#include <algorithm>
#include <numeric>
#include <ranges>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <rwkv/core/random.hpp>
#include <rwkv/text/batches.hpp>

using rwkv::Batches;
using rwkv::Bytes;
using rwkv::ContiguousBatches;
using rwkv::Corpus;
using rwkv::dim_t;
using rwkv::Error;
using rwkv::Minibatch;
using rwkv::Random;
using rwkv::RandomWindows;
using rwkv::Seq;
using rwkv::Steps;

static_assert(std::ranges::input_range<Steps<RandomWindows>> && std::ranges::input_range<Steps<ContiguousBatches>>);
static_assert(!rwkv::BatchSource<int>);

namespace {

/// 0, 1, 2, ...: a token tells where it stands (below 256 tokens).
Corpus counting(dim_t n) {
  std::string text;
  for (dim_t i = 0; i < n; ++i) text += static_cast<char>(i);
  return Corpus::of_text(text, Bytes{});
}

template <class Source>
void check_law(const Source& source, dim_t step) {
  const Minibatch batch = source.at(step);
  const Seq seq = source.seq();
  CHECK(batch.seq == seq);
  REQUIRE(batch.inputs.size() == static_cast<std::size_t>(seq.tokens()));
  REQUIRE(batch.targets.size() == batch.inputs.size());
  dim_t wrong = 0;
  for (dim_t i = 0; i < seq.tokens(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    wrong += batch.targets[at] != batch.inputs[at] + 1;
    wrong += i % seq.time > 0 && batch.inputs[at] != batch.targets[at - 1];
  }
  CHECK(wrong == 0);
  CHECK(source.at(step) == batch);
  Minibatch used{.seq = {9, 9}, .inputs = std::vector<std::int32_t>(81, 7), .targets = {}, .continues = true};
  source.fill(step, used);
  CHECK(used == batch);
}

}  // namespace

TEST_CASE("targets are the next tokens, and a batch depends on its step alone") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    const Random random{seed};
    const Seq seq{1 + static_cast<dim_t>(random.below(6, 0)), 1 + static_cast<dim_t>(random.below(9, 1))};
    const dim_t least = seq.batch * (seq.time + 1);
    const Corpus corpus = counting(least + static_cast<dim_t>(random.below(100, 2)));
    const auto step = static_cast<dim_t>(random.below(1000, 3));
    check_law(RandomWindows(corpus, seq, seed), step);
    check_law(ContiguousBatches(corpus, seq, seed), step);
  }
}

TEST_CASE("every place of a window is equally likely") {
  const RandomWindows windows(counting(20), {.batch = 4, .time = 7}, 11);  // places 0 .. 12
  std::vector<int> starts(20);
  const dim_t steps = 6500;
  for (const Minibatch& batch : windows.first(steps)) {
    CHECK(!batch.continues);
    for (std::size_t b = 0; b < 4; ++b) ++starts[static_cast<std::size_t>(batch.inputs[7 * b])];
  }
  for (std::size_t place = 0; place < 13; ++place) {
    CAPTURE(place);
    CHECK(starts[place] > 2000 - 215);  // 5 standard deviations
    CHECK(starts[place] < 2000 + 215);
  }
  for (std::size_t place = 13; place < 20; ++place) CHECK(starts[place] == 0);
}

TEST_CASE("rows, steps and seeds are drawn apart, and a row does not depend on the batch size") {
  const Corpus corpus = counting(200);
  const auto starts = [&](dim_t batch, std::uint64_t seed, dim_t row) {
    std::vector<std::int32_t> made;
    for (const Minibatch& b : RandomWindows(corpus, {batch, 3}, seed).first(50))
      made.push_back(b.inputs[static_cast<std::size_t>(3 * row)]);
    return made;
  };
  CHECK(starts(4, 1, 2) == starts(9, 1, 2));
  CHECK(starts(4, 1, 2) != starts(4, 1, 1));
  CHECK(starts(4, 1, 2) != starts(4, 2, 2));
  const auto row = starts(4, 1, 0);
  CHECK(std::ranges::count(row, row[0]) < 10);
}

TEST_CASE("streams read their parts from front to back and start again") {
  // 23 tokens, two streams of 11: 0 .. 10 and 11 .. 21; three whole steps of 3 each
  const ContiguousBatches streams(counting(23), {.batch = 2, .time = 3});
  CHECK(streams.steps_per_pass() == 3);
  using Tokens = std::vector<std::int32_t>;
  CHECK(streams.at(0).inputs == Tokens{0, 1, 2, 11, 12, 13});
  CHECK(streams.at(0).targets == Tokens{1, 2, 3, 12, 13, 14});
  CHECK(streams.at(2).inputs == Tokens{6, 7, 8, 17, 18, 19});
  CHECK(streams.at(3) == streams.at(0));
  CHECK(!streams.at(0).continues);
  CHECK(streams.at(1).continues);
  CHECK(streams.at(2).continues);
  CHECK(!streams.at(3).continues);
}

TEST_CASE("a batch that continues goes on where the one before ended; a pass misses less than one step") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    const Random random{seed};
    const Seq seq{1 + static_cast<dim_t>(random.below(5, 0)), 1 + static_cast<dim_t>(random.below(7, 1))};
    const Corpus corpus = counting(seq.batch * (seq.time + 1) + static_cast<dim_t>(random.below(120, 2)));
    const ContiguousBatches streams(corpus, seq);
    Minibatch before;
    for (const Minibatch& batch : streams.first(3 * streams.steps_per_pass())) {
      for (dim_t b = 0; batch.continues && b < seq.batch; ++b)
        CHECK(batch.inputs[static_cast<std::size_t>(b * seq.time)] ==
              before.targets[static_cast<std::size_t>((b + 1) * seq.time - 1)]);
      before = batch;
    }
    const dim_t read = streams.steps_per_pass() * seq.tokens();
    CHECK(read <= corpus.size() - seq.batch);
    CHECK(read + seq.batch + seq.batch * (seq.time - 1) + seq.batch > corpus.size());
  }
}

TEST_CASE("rows of a batch are those of the whole one, of every kind of source") {
  const Corpus text = Corpus::of_text(std::string(500, 'x') + "and something else at the end", Bytes());
  struct Plain {  // which knows nothing of rows
    RandomWindows inner;
    Seq seq() const { return inner.seq(); }
    void fill(dim_t step, Minibatch& batch) const { inner.fill(step, batch); }
  };
  const RandomWindows windows(text, {6, 8}, 3);
  const ContiguousBatches in_order(text, {6, 8});
  for (const Batches& source : {Batches(windows), Batches(in_order), Batches(Plain{windows})})
    for (dim_t step = 0; step < 12; ++step) {
      Minibatch whole, cut, rows;
      source.fill(step, whole);
      for (const auto& [first, n] : {std::pair<dim_t, dim_t>{0, 6}, {0, 2}, {2, 3}, {5, 1}}) {
        take_rows(whole, first, n, cut), fill_rows(source, step, first, n, rows);
        CHECK(rows == cut);
        CHECK(rows.seq == Seq{n, 8});
        CHECK(std::equal(rows.targets.begin(), rows.targets.end(), whole.targets.begin() + first * 8));
      }
    }
  Minibatch whole, rows;
  windows.fill(0, whole);
  CHECK_THROWS_AS(take_rows(whole, 5, 2, rows), Error);
  whole.inputs.pop_back();
  CHECK_THROWS_AS(take_rows(whole, 0, 2, rows), Error);
}

TEST_CASE("ranges give each step once, and a resumed run goes on where it would have been") {
  const Corpus corpus = counting(100);
  std::vector<Minibatch> whole, parts;
  for (const Minibatch& batch : RandomWindows(corpus, {.batch = 2, .time = 4}, 5).first(10)) whole.push_back(batch);
  REQUIRE(whole.size() == 10);
  const RandomWindows windows(corpus, {.batch = 2, .time = 4}, 5);
  for (const Minibatch& batch : windows.first(6)) parts.push_back(batch);
  for (const Minibatch& batch : windows.steps(6, 4)) parts.push_back(batch);
  CHECK(parts == whole);
  for (dim_t step = 0; step < 10; ++step) CHECK(windows.at(step) == whole[static_cast<std::size_t>(step)]);
  for ([[maybe_unused]] const Minibatch& batch : windows.first(0)) FAIL("no steps");
  for ([[maybe_unused]] const Minibatch& batch : windows.steps(3, -1)) FAIL("no steps");
  constexpr dim_t most = std::numeric_limits<dim_t>::max();
  CHECK(windows.steps(5, most).begin()->inputs == whole[5].inputs);  // more steps than can be counted
  auto steps = windows.steps(7, 2);
  dim_t expected = 7;
  for ([[maybe_unused]] const Minibatch& batch : steps) CHECK(steps.step() == expected++);
}

TEST_CASE("filling the same batch again moves no memory") {
  const RandomWindows windows(counting(100), {.batch = 3, .time = 5});
  Minibatch batch;
  windows.fill(0, batch);
  const auto *inputs = batch.inputs.data(), *targets = batch.targets.data();
  for (dim_t step = 1; step < 20; ++step) windows.fill(step, batch);
  CHECK(batch.inputs.data() == inputs);
  CHECK(batch.targets.data() == targets);
}

TEST_CASE("the shortest corpus is enough, and one token less is refused") {
  CHECK(RandomWindows(counting(5), {.batch = 3, .time = 4}).at(7).inputs[4] == 0);
  CHECK(ContiguousBatches(counting(15), {.batch = 3, .time = 4}).steps_per_pass() == 1);
  CHECK_THROWS_WITH_AS(
      RandomWindows(counting(4), {.batch = 3, .time = 4}),
      "text: expected at least 5 tokens, a context of 4 and the token after it, found 4; give a longer "
      "text, or a shorter context (time)",
      Error);
  CHECK_THROWS_WITH_AS(ContiguousBatches(counting(14), {.batch = 3, .time = 4}),
                       "text: expected at least 15 tokens, 3 times a context of 4 and the token after it, found 14; "
                       "give a longer text, a smaller batch or a shorter context (time)",
                       Error);
  CHECK_THROWS_WITH_AS(RandomWindows(counting(14), {.batch = 0, .time = 4}),
                       "Seq: expected a batch and a time of at least 1, found batch 0 and time 4; set both, as in "
                       "Seq{.batch = 8, .time = 64}",
                       Error);
  CHECK_THROWS_AS(ContiguousBatches(counting(14), {.batch = 1, .time = -1}), Error);
  for (const Seq huge : {Seq{1, dim_t{1} << 62}, Seq{dim_t{1} << 62, 4}, Seq{dim_t{1} << 32, dim_t{1} << 32},
                         Seq{1, std::numeric_limits<dim_t>::max()}}) {
    CHECK_THROWS_AS(ContiguousBatches(counting(14), huge), Error);
    CHECK_THROWS_AS(RandomWindows(counting(14), huge), Error);
  }
  CHECK_THROWS_AS(RandomWindows(counting(14), {dim_t{1} << 50, 4}).at(0), rwkv::OutOfMemory);
  CHECK_THROWS_WITH_AS(RandomWindows(counting(14), {.batch = 2, .time = 4}).at(-1),
                       "batches: expected a step of at least 0, found -1; count from 0", Error);
}

TEST_CASE("the windows of a seed never change") {
  const RandomWindows windows(counting(250), {.batch = 4, .time = 1}, 42);
  CHECK(windows.at(0).inputs == std::vector<std::int32_t>{53, 233, 128, 136});
  CHECK(windows.at(1000000).inputs == std::vector<std::int32_t>{10, 205, 233, 223});
}
