// Ranks that do what their first argument says, started by mpirun: see CMakeLists.txt.
#include <csignal>
#include <map>

#include <rwkv/distributed/point_to_point.hpp>
#include <rwkv/distributed/run_ranks.hpp>
#include <rwkv/training/communicator.hpp>
#include <rwkv/training/expect_equal.hpp>

#include "../distributed/laws.hpp"
#include "sequences.hpp"
#include "training.hpp"

using namespace rwkv;

static_assert(Communicator<Mpi, Cpu<float>> && Communicator<Mpi, test::Far<float>>);
static_assert(PointToPoint<Mpi, Cpu<float>> && PointToPoint<Mpi, test::Far<float>>);

namespace {

void sum_one(Mpi& mpi) {
  double one = 1;
  mpi.sum<Cpu<double>>(&one, 1);
}

const std::map<std::string, void (*)(Mpi&)> parts{
    {"laws",
     [](Mpi& mpi) {
       test::CommunicatorLaws laws(mpi, 7);
       laws.check_all();
       const dim_t rounds = 5 * detail::travelling_bytes / 8 / 2;  // some, in which pieces of two or three overlap
       laws.check_sums<Cpu<float>>(rounds + 7);
       laws.check_sums<test::Far<float>, bf16>(rounds + 7);
       if (mpi.rank() == 0) std::printf("all laws hold in %d ranks\n", mpi.size());
     }},
    {"sequences", sequences},
    {"dropout", dropout},
    {"not_finite", not_finite},
    {"throws",
     [](Mpi& mpi) {
       if (mpi.rank() == 1) throw Error("a fault");
       sum_one(mpi);
     }},
    {"all_throw", [](Mpi&) { throw Error("a bad option"); }},
    {"each_throws", [](Mpi& mpi) { throw Error("fault ", mpi.rank()); }},
    {"killed",
     [](Mpi& mpi) {
       if (mpi.rank() == 1) std::raise(SIGKILL);
       sum_one(mpi);
     }},
    {"builds", [](Mpi& mpi) { expect_equal(mpi, "build", mpi.rank() == 0 ? "one" : "another"); }},
    {"wrong_rank", [](Mpi& mpi) { mpi.broadcast<Cpu<double>>(std::array{1.0}.data(), 1, 99); }},
    {"alone", [](Mpi& mpi) { std::printf("rank %d of %d\n", mpi.rank(), mpi.size()); }},
};

/// A program that started MPI itself, and trains with some of its ranks.
int own_communicator() {
  MPI_Init(nullptr, nullptr);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm half = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
  {
    Mpi mpi(half);
    MPI_Comm_free(&half);
    test::CommunicatorLaws(mpi, 9).check_sums<Cpu<float>>(1000);
    if (rank == 0) std::printf("%d ranks of the program's own\n", mpi.size());
  }
  return MPI_Finalize();  // which nobody else has called
}

}  // namespace

int main(int argc, char** argv) {
  const std::string part = argc > 1 ? argv[1] : "";
  if (part == "own_communicator") return own_communicator();
  const auto patience = std::chrono::seconds(part == "throws" ? 1 : 60);
  return run_ranks(
      [&](Mpi mpi) {
        parts.at(part)(mpi);
        return 0;
      },
      {.patience = patience});
}
