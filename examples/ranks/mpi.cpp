// Ranks for a program that was built with MPI, which is started only by mpirun's processes.
#include <rwkv/distributed/run_ranks.hpp>
#include <rwkv/training/expect_equal.hpp>

#include "ranks.hpp"

int example::run_ranks(CLI::App& app, int argc, char** argv, const std::function<int(rwkv::AnyCommunicator)>& program) {
  if (!rwkv::detail::launched_ranks())
    return run(app, argc, argv, [&] {
      std::fprintf(stderr, "%s: one rank alone: mpirun -n 2 before the command starts two\n", app.get_name().c_str());
      return program({});
    });
  try {
    rwkv::Mpi mpi;
    if (mpi.rank() > 0 && std::freopen("/dev/null", "w", stdout) == nullptr) return 2;
    const auto help = [&](const char* here) { rwkv::expect_equal(mpi, "--help", here); };  // or some would end at once
    const Ended end = attempt(
        app, argc, argv, [&] { return help("no"), program(mpi); }, [&] { help("yes"); });
    return rwkv::end_together(mpi, {end.status, end.error});
  } catch (const std::exception& error) {  // there is no MPI
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return 2;
  }
}
