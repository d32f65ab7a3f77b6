// Milliseconds that a sum over all ranks takes, beside MPI's own: mpirun -n 2 sum_speed. The fastest of some rounds, in
// turn.
#include <algorithm>
#include <cstdio>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/distributed/run_ranks.hpp>

#include "../examples/options.hpp"
using namespace rwkv;

struct Options {
  double megabytes = 45;
  int rounds = 20, threads = 1;
};

/// From when all ranks begin until all have ended.
template <class F>
double milliseconds(const F& f) {
  MPI_Barrier(MPI_COMM_WORLD);
  const double start = MPI_Wtime();
  f();
  MPI_Barrier(MPI_COMM_WORLD);
  return (MPI_Wtime() - start) * 1e3;
}

int measure(const Options& o, Mpi mpi) {
  set_threads(o.threads);
  const auto n = static_cast<dim_t>(o.megabytes * 1e6 / sizeof(float));
  std::vector<float> numbers(static_cast<std::size_t>(n));
  const std::pair<const char*, std::function<void()>> ways[] = {
      {"sum", [&] { mpi.sum<Cpu<float>>(numbers.data(), n); }},
      {"sum as bf16", [&] { mpi.sum<Cpu<float>, bf16>(numbers.data(), n); }},
      {"MPI_Allreduce",
       [&] { MPI_Allreduce(MPI_IN_PLACE, numbers.data(), static_cast<int>(n), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD); }}};
  std::vector<double> best(std::size(ways), 1e30);
  for (int round = 0; round < o.rounds; ++round)
    for (std::size_t way = 0; way < std::size(ways); ++way) {
      std::fill(numbers.begin(), numbers.end(), 1.0f);
      best[way] = std::min(best[way], milliseconds(ways[way].second));
    }
  for (std::size_t way = 0; way < std::size(ways) && mpi.rank() == 0; ++way)
    std::printf("%d ranks, %.1f MB: %s %.2f ms\n", mpi.size(), o.megabytes, ways[way].first, best[way]);
  return 0;
}

int main(int argc, char** argv) {
  CLI::App app("Milliseconds that a sum of numbers over all ranks takes, beside MPI_Allreduce", "sum_speed");
  Options o;
  app.add_option("--megabytes", o.megabytes, "of floats in each rank")->check(example::between(0.0, 4000.0));
  app.add_option("--rounds", o.rounds, "of which the fastest counts")->check(example::at_least(1));
  app.add_option("--threads", o.threads, "of each rank")->check(example::at_least(1));
  return example::run(app, argc, argv, [&] { return run_ranks([&](Mpi mpi) { return measure(o, mpi); }); });
}
