#pragma once
#include <cstdlib>
#include <optional>

#include <rwkv/core/number_text.hpp>

namespace rwkv::detail {

/// What the program that starts ranks told this one: the name of a variable of the environment, and how many it says.
struct LaunchedRanks {
  const char* variable;
  int ranks;
};
/// Open MPI's sets the first, those of MPICH and its relatives the second, Slurm's srun the third, also in a shell that
/// it starts, where 1 says nothing; nothing if this process was started alone.
inline std::optional<LaunchedRanks> launched_ranks() {
  constexpr const char* slurm = "SLURM_STEP_NUM_TASKS";
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", slurm})
    if (const char* const text = std::getenv(variable))
      if (const auto ranks = rwkv::number_in(text); ranks && (variable != slurm || *ranks > 1))
        return LaunchedRanks{variable, static_cast<int>(*ranks)};
  return std::nullopt;
}

}  // namespace rwkv::detail
