#include <doctest/doctest.h>

#include <rwkv/distributed/nccl_ranks.hpp>
#include <rwkv/distributed/point_to_point.hpp>
#include <rwkv/distributed/threads.hpp>
#include <rwkv/training/communicator.hpp>

#include "laws.hpp"
#include "nccl_stand_in.hpp"

using namespace rwkv;

using Ranks = NcclRanks<test::NcclStandIn, ThreadRank>;
static_assert(Communicator<Ranks, test::Far<float>> && Communicator<Ranks, test::Far<double>>);
static_assert(PointToPoint<Ranks, test::Far<float>> && PointToPoint<Ranks, Cpu<float>>);

TEST_CASE("what NCCL is told makes sums and copies of what lies on the machine; the host's go another way") {
  for (const int size : {1, 2, 3, 5}) {
    CAPTURE(size);
    detail::ThreadMeeting meeting(size);
    CHECK_NOTHROW(run_in_threads(size, [&](ThreadRank rank) {
      struct End {
        detail::ThreadMeeting& meeting;
        int rank;
        ~End() { meeting.end(rank); }
      } const end{meeting, rank.rank()};
      Ranks ranks(test::NcclStandIn(meeting, rank.rank()), rank);
      test::CommunicatorLaws laws(ranks, 6);
      laws.check_all();
      laws.check_sums<test::Far<double>>(1000);
    }));
  }
}
