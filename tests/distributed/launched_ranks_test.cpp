#include <doctest/doctest.h>

#include <rwkv/distributed/launched_ranks.hpp>

using rwkv::detail::launched_ranks;

TEST_CASE("what starts ranks is known by what it says, mpirun before srun, which may have started it") {
  const char* const all[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
  for (const char* variable : all) ::unsetenv(variable);
  CHECK_FALSE(launched_ranks());
  ::setenv("SLURM_STEP_NUM_TASKS", "1", 1);  // a shell of srun's
  CHECK_FALSE(launched_ranks());
  ::setenv("SLURM_STEP_NUM_TASKS", "2", 1);
  CHECK(launched_ranks()->ranks == 2);
  ::setenv("PMI_SIZE", "1", 1);
  CHECK(launched_ranks()->ranks == 1);
  ::setenv("OMPI_COMM_WORLD_SIZE", "3", 1);
  CHECK(launched_ranks()->variable == std::string("OMPI_COMM_WORLD_SIZE"));
  for (const char* variable : all) ::unsetenv(variable);
}
