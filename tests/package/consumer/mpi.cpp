#include <rwkv/distributed/run_ranks.hpp>

int main() {
  return rwkv::run_ranks(
      [](rwkv::Mpi mpi) { return mpi.gather_texts("one").size() == std::size_t(mpi.size()) ? 0 : 1; });
}
