#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <rwkv/distributed/mpi.hpp>

namespace rwkv {

/// How ranks end: what they say, and how long one that failed waits to hear whether all did.
struct RanksConfig {
  std::function<void(const std::string&)> tell = {};  ///< called with what went wrong; without it, a line on stderr
  std::chrono::milliseconds patience{3000};
};
/// How a rank ended: the program's exit status, and what went wrong, or nothing.
struct Ending {
  int status = 0;
  std::string error = {};
};

/// Called by every rank when it has done its part or failed; the exit status for all to return. What went wrong in all
/// is said once, by rank 0; what did not, by each rank, with its number. Where some go on as if nothing had happened,
/// and would wait for this one, MPI is told to end them: then this does not return.
inline int end_together(const Mpi& mpi, const Ending& mine, const RanksConfig& config = {}) {
  const auto tell = [&](const std::string& words) {
    config.tell ? config.tell(words) : void(std::fprintf(stderr, "%s\n", detail::escaped(words).c_str()));
  };
  const auto tell_mine = [&] {
    tell("rank " + std::to_string(mpi.rank()) + " of " + std::to_string(mpi.size()) + ": " + mine.error);
  };
  const bool failed = mine.status != 0 || !mine.error.empty();
  const int status = failed ? std::max(mine.status, 1) : 0;
  const std::uint64_t sign = failed ? std::max<std::uint64_t>(std::hash<std::string>{}(mine.error), 1) : 0;
  std::vector<std::uint64_t> signs(static_cast<std::size_t>(mpi.size()));
  MPI_Request all = MPI_REQUEST_NULL;
  int done = MPI_Iallgather(&sign, 1, MPI_UINT64_T, signs.data(), 1, MPI_UINT64_T, mpi.endings(), &all) != MPI_SUCCESS;
  const auto deadline = std::chrono::steady_clock::now() + config.patience;
  while (MPI_Test(&all, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done) {
    if (failed && std::chrono::steady_clock::now() > deadline) {
      if (!mine.error.empty()) tell_mine();
      MPI_Abort(mpi.endings(), status);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const bool same = std::all_of(signs.begin(), signs.end(), [&](std::uint64_t other) { return other == sign; });
  if (!mine.error.empty()) {
    if (mpi.size() == 1 || (same && mpi.rank() == 0))
      tell(mine.error);
    else if (!same)
      tell_mine();
  }
  return std::max(status, same ? 0 : 1);
}

/// The main of a program of several ranks: body(Mpi) returns the exit status. What it throws ends all ranks, see
/// end_together. One that returns 0 waits for the others, as they may have more to do; those that still call it wait
/// for ever. So let ranks find out by `expect_equal` whether all were asked for the same.
template <class F>
int run_ranks(const F& body, const RanksConfig& config = {}) {
  try {
    const Mpi mpi(config.tell);
    Ending ending;
    try {
      ending.status = body(mpi);
    } catch (const std::exception& error) {
      ending = {1, error.what()};
    }
    return end_together(mpi, ending, config);
  } catch (const std::exception& error) {  // there is no MPI
    config.tell ? config.tell(error.what()) : void(std::fprintf(stderr, "%s\n", error.what()));
    return 1;
  }
}

}  // namespace rwkv
