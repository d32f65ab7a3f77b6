// GPUs that NCCL connects keep the laws of a communicator, but for the order of sums, which is its own: this compiles
// and links, and runs where there are GPUs. As many ranks as mpirun starts; alone it is one.
#include <cstdio>

#include <rwkv/distributed/nccl.hpp>
#include <rwkv/distributed/point_to_point.hpp>
#include <rwkv/training/communicator.hpp>

using namespace rwkv;

static_assert(Communicator<Nccl, Gpu<float>> && PointToPoint<Nccl, Gpu<float>>);

namespace {

template <class Travel>
bool right(Nccl& nccl, dim_t n) {
  const detail::Buffer<Gpu<float>> memory(Gpu<float>::allocate(n));
  std::vector<float> numbers(static_cast<std::size_t>(n)), expected(numbers);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<float>(static_cast<int>(i % 100) + nccl.rank());  // small whole ones: any order is exact
    for (int rank = 0; rank < nccl.size(); ++rank) expected[i] += static_cast<float>(static_cast<int>(i % 100) + rank);
  }
  Gpu<float>::upload(memory.get(), numbers.data(), n);
  nccl.sum<Gpu<float>, Travel>(memory.get(), n);
  nccl.broadcast<Gpu<float>>(memory.get(), n, nccl.size() - 1);
  if (nccl.rank() > 0) nccl.receive<Gpu<float>>(memory.get(), n, nccl.rank() - 1);
  if (nccl.rank() + 1 < nccl.size()) nccl.send<Gpu<float>>(memory.get(), n, nccl.rank() + 1);
  Gpu<float>::download(numbers.data(), memory.get(), n);
  return numbers == expected;
}

}  // namespace

int main() {
  Mpi mpi([](const std::string&) {});
  try {
    Nccl nccl(mpi);
    for (const dim_t n : {1, 17, 1000, 70001})
      if (!right<float>(nccl, n) || !right<bf16>(nccl, n)) {
        std::printf("wrong: %td numbers in rank %d of %d\n", n, nccl.rank(), nccl.size());
        return 1;
      }
    std::printf("right: rank %d of %d\n", nccl.rank(), nccl.size());
    return 0;
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return 77;
  }
}
