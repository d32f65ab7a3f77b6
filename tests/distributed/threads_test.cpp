#include <doctest/doctest.h>

#include <rwkv/distributed/point_to_point.hpp>
#include <rwkv/distributed/threads.hpp>
#include <rwkv/training/communicator.hpp>
#include <rwkv/training/expect_equal.hpp>

#include "../io/folder.hpp"
#include "laws.hpp"

using namespace rwkv;

static_assert(Communicator<ThreadRank, Cpu<float>> && Communicator<ThreadRank, Cpu<double>>);
static_assert(PointToPoint<ThreadRank, Cpu<float>>);
static_assert(Communicator<SingleProcess, Cpu<float>> && PointToPoint<SingleProcess, Cpu<float>>);

TEST_CASE("threads as ranks: sums are those of a plain loop in the order of the ranks, to the bit") {
  for (const int size : {1, 2, 3, 5}) {
    CAPTURE(size);
    CHECK_NOTHROW(run_in_threads(size, [](ThreadRank rank) { test::CommunicatorLaws(rank, 5).check_all(); }));
  }
}

TEST_CASE("what one thread throws ends those that wait for it, and is what the caller hears") {
  const auto message = test::message<Error>([] {
    run_in_threads(3, [](ThreadRank rank) {
      if (rank.rank() == 1) throw Error("no text");
      rank.gather_texts("");
    });
  });
  CHECK(message == "no text");
  CHECK(test::message<Error>([] {
          run_in_threads(2, [](ThreadRank rank) {
            float x = 0;
            if (rank.rank() == 1) rank.receive<Cpu<float>>(&x, 1, 0);
          });
        }) == "rank 1 waits for rank 0, which has ended");
}

TEST_CASE("ranks that do not make the same calls are told so, all of them") {
  const auto said = [](const auto& call) {
    std::string words[3];
    run_in_threads(3, [&](ThreadRank rank) {
      float x[9] = {};
      words[rank.rank()] = test::message<Error>([&] { rank.rank() == 2 ? call(rank, x) : rank.sum<Cpu<float>>(x, 9); });
    });
    for (const std::string& other : words) CHECK(other == words[0]);
    return words[0];
  };
  const std::string expected =
      "expected the same call in all ranks, scatter_sums of 9 numbers of 4 bytes as in rank 0, found ";
  CHECK(said([](ThreadRank rank, float* x) { rank.gather<Cpu<float>>(x, 9); }) ==
        expected + "gather of 9 numbers of 4 bytes in rank 2");
  CHECK(said([](ThreadRank rank, float* x) { rank.sum<Cpu<float>>(x, 8); }) ==
        expected + "scatter_sums of 8 numbers of 4 bytes in rank 2");
  CHECK(said([](ThreadRank rank, float* x) { rank.sum<Cpu<float>, bf16>(x, 9); }) ==
        expected + "scatter_sums of 9 numbers of 2 bytes in rank 2");
  CHECK(said([](ThreadRank rank, float* x) { rank.broadcast<Cpu<float>>(x, 9, 1); }) ==
        expected + "broadcast of 9 numbers of 4 bytes from rank 1 in rank 2");
  CHECK(said([](ThreadRank rank, float*) { rank.gather_texts("text"); }) == expected + "gather_texts in rank 2");
}

TEST_CASE("numbers that are fewer or more than were asked for are refused") {
  CHECK(test::message<Error>([] {
          run_in_threads(2, [](ThreadRank rank) {
            float x[2] = {};
            rank.rank() == 0 ? rank.send<Cpu<float>>(x, 2, 1) : rank.receive<Cpu<float>>(x, 1, 0);
          });
        }) == "receive: expected 1 numbers of rank 0, found 2 in rank 1");
}

TEST_CASE("ranks that differ in what must be the same are named") {
  CHECK_NOTHROW(run_in_threads(3, [](ThreadRank rank) { expect_equal(rank, "net", "v4"); }));
  std::atomic<int> refused = 0;
  const auto message = test::message<Error>([&] {
    run_in_threads(3, [&](ThreadRank rank) {
      try {
        expect_equal(rank, "build", rank.rank() == 2 ? "two\n" : "one");
      } catch (const Error&) {
        ++refused;
        throw;
      }
    });
  });
  CHECK(refused == 3);
  CHECK(message ==
        "build: expected the same in all 3 ranks, \"one\" as in rank 0, found \"two\\n\" in rank 2; start the same "
        "program "
        "with the same options everywhere");
}
