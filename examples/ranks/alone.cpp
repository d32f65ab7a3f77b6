// Ranks for a program that was built without MPI: one.
#include <rwkv/distributed/launched_ranks.hpp>

#include "ranks.hpp"

int example::run_ranks(CLI::App& app, int argc, char** argv, const std::function<int(rwkv::AnyCommunicator)>& program) {
  return run(app, argc, argv, [&] {
    const auto launched = rwkv::detail::launched_ranks();
    if (launched && launched->ranks > 1)
      throw rwkv::Error("expected one process, found ", launched->ranks, " as ", launched->variable,
                        " says: this program was built without MPI, and each would do the whole work; build it with ",
                        "-DRWKV_MPI=ON");
    return program({});
  });
}
