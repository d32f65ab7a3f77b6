#include <doctest/doctest.h>

#include <rwkv/distributed/threads.hpp>

#include "../distributed/laws.hpp"

using namespace rwkv;

TEST_CASE("threads that are ranks show each other their memory, and look at nothing else") {
  for (const int size : {2, 5})
    CHECK_NOTHROW(run_in_threads(size, [](ThreadRank rank) {
      test::CommunicatorLaws laws(rank, 3);
      laws.check_sums<Cpu<float>>(5000);
      laws.check_copies<Cpu<float>>(1000);
      laws.check_texts();
    }));
}
