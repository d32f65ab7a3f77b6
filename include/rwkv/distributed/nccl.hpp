#pragma once
#include <utility>

#include <rwkv/backend/gpu.hpp>
#include <rwkv/distributed/mpi.hpp>
#include <rwkv/distributed/nccl_library.hpp>
#include <rwkv/distributed/nccl_ranks.hpp>

namespace rwkv {

/// The ranks of a program that mpirun started, each with a GPU of its own, which NCCL connects; MPI is for the start
/// and for what lies in the host's memory. See NcclRanks.
class Nccl : public NcclRanks<detail::NcclLibrary, Mpi> {
 public:
  /// Chooses the calling thread's device: of rank i on a machine, its device i. Error in all ranks where there is none
  /// for one of them.
  explicit Nccl(Mpi mpi = Mpi()) : NcclRanks(connected(mpi), mpi) {}

 private:
  static detail::NcclLibrary connected(Mpi& mpi) {
    choose_device(mpi);
    ncclUniqueId id{};
    if (mpi.rank() == 0) id = detail::NcclLibrary::make_id();
    mpi.broadcast<detail::Bytewise>(id.internal, sizeof id.internal, 0);
    return {id, mpi.rank(), mpi.size()};
  }
  static void choose_device(Mpi& mpi) {
    std::string error;
    try {
      const int place = mpi.rank_on_machine();
      if (const int devices = gpu_count(); place >= devices)
        throw Error("Nccl: expected a GPU for every rank, found ", devices, " and at least ", place + 1,
                    " ranks on the machine of rank ", mpi.rank(), "; start as many ranks on a machine as it has GPUs");
      set_gpu(place);
    } catch (const Error& why) {
      error = why.what();
    }
    for (const std::string& any : mpi.gather_texts(error))  // or those that have one would wait
      if (!any.empty()) throw Error(any);
  }
};

}  // namespace rwkv
