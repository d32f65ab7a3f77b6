#include <doctest/doctest.h>

#include <rwkv/distributed/threads.hpp>
#include <rwkv/distributed/threads_per_rank.hpp>
#include <rwkv/training/together.hpp>

#include "../io/folder.hpp"
#include "laws.hpp"

using namespace rwkv;

static_assert(Communicator<AnyCommunicator, Cpu<float>> && Communicator<AnyCommunicator, test::Far<float>>);

TEST_CASE("any communicator does what the one it holds does, of memory near and far") {
  for (const int size : {1, 2, 3})
    CHECK_NOTHROW(run_in_threads(size, [](ThreadRank rank) {
      AnyCommunicator any(rank);
      test::CommunicatorLaws laws(any, 5);
      for (const dim_t n : {0, 1, 17, 997}) {
        laws.check_sums<Cpu<float>>(n);
        laws.check_sums<Cpu<float>, bf16>(n);
        laws.check_sums<Cpu<double>>(n);
        laws.check_sums<test::Far<bf16>>(n);
        laws.check_sums<test::Far<float>, bf16>(n);
        laws.check_copies<Cpu<double>>(n);
        laws.check_copies<test::Far<bf16>>(n);
      }
      laws.check_texts();
    }));
  AnyCommunicator alone;
  CHECK((alone.rank() == 0 && alone.size() == 1));
  CHECK(alone.gather_texts("text") == std::vector<std::string>{"text"});
}

TEST_CASE("what fails in one rank fails in all, with the same words") {
  std::string said[3];
  const auto fail = [&](auto throws) {
    run_in_threads(3, [&](ThreadRank rank) {
      AnyCommunicator ranks(rank);
      said[rank.rank()] = test::message<std::exception>([&] { together(ranks, [&] { throws(rank.rank()); }); });
    });
  };
  fail([](int rank) {
    if (rank == 2) throw std::runtime_error("no text");
  });
  for (const std::string& words : said) CHECK(words == "rank 2: no text");
  fail([](int) { throw std::runtime_error("no text"); });
  for (const std::string& words : said) CHECK(words == "no text");
  fail([](int rank) {
    if (rank == 1) throw 7;
  });
  for (const std::string& words : said) CHECK(words == "rank 1: an error without a message");
  run_in_threads(2, [](ThreadRank rank) {
    AnyCommunicator ranks(rank);
    if (together(ranks, [&] { return rank.rank(); }) != rank.rank()) throw Error("another rank's result");
  });
}

TEST_CASE("ranks that may use the same processors deal them out as threads") {
  int threads[2] = {};
  run_in_threads(2, [&](ThreadRank rank) { threads[rank.rank()] = threads_per_rank(rank); });
  for (const int found : threads) CHECK(found == std::max(1, available_processors() / 2));
  SingleProcess alone;
  CHECK(threads_per_rank(alone) == available_processors());
}
