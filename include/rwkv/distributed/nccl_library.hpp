#pragma once
#include <nccl.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include <rwkv/backend/gpu/cuda_stream.hpp>
#include <rwkv/core/error.hpp>
#include <rwkv/distributed/nccl_number.hpp>

namespace rwkv::detail {

/// NCCL's calls, one to a function; what they return becomes an Error. Copies are the same rank.
class NcclLibrary {
 public:
  using Stream = cudaStream_t;

  /// The rank's part of what one of them was given an id for. All ranks come here together.
  NcclLibrary(const ncclUniqueId& id, int rank, int size) {
    ncclComm_t comm = nullptr;
    expect(ncclCommInitRank(&comm, size, id, rank), "ncclCommInitRank", nullptr);
    comm_ = {comm, [before = std::uncaught_exceptions()](ncclComm_t it) {
               // Where an exception ends the program, other ranks do not come to say goodbye.
               std::uncaught_exceptions() > before ? ncclCommAbort(it) : ncclCommDestroy(it);
             }};
  }
  /// By which the ranks find each other: made by one of them, and told the others.
  static ncclUniqueId make_id() {
    ncclUniqueId id;
    expect(ncclGetUniqueId(&id), "ncclGetUniqueId", nullptr);
    return id;
  }
  static Stream stream() { return gpu_stream(); }

  void group_start() { say(ncclGroupStart(), "ncclGroupStart"); }
  void group_end() { say(ncclGroupEnd(), "ncclGroupEnd"); }
  void reduce_scatter(const void* all, void* own, dim_t each, NcclNumber number, Stream stream) {
    say(ncclReduceScatter(all, own, count(each), type(number), ncclSum, comm_.get(), stream), "ncclReduceScatter");
  }
  void reduce(const void* from, void* to, dim_t n, NcclNumber number, int root, Stream stream) {
    say(ncclReduce(from, to, count(n), type(number), ncclSum, root, comm_.get(), stream), "ncclReduce");
  }
  void all_gather(const void* own, void* all, dim_t each, NcclNumber number, Stream stream) {
    say(ncclAllGather(own, all, count(each), type(number), comm_.get(), stream), "ncclAllGather");
  }
  void broadcast(const void* from, void* to, dim_t n, NcclNumber number, int root, Stream stream) {
    say(ncclBroadcast(from, to, count(n), type(number), root, comm_.get(), stream), "ncclBroadcast");
  }
  void send(const void* from, dim_t n, NcclNumber number, int to, Stream stream) {
    say(ncclSend(from, count(n), type(number), to, comm_.get(), stream), "ncclSend");
  }
  void receive(void* to, dim_t n, NcclNumber number, int from, Stream stream) {
    say(ncclRecv(to, count(n), type(number), from, comm_.get(), stream), "ncclRecv");
  }

 private:
  static std::size_t count(dim_t n) { return static_cast<std::size_t>(n); }
  static ncclDataType_t type(NcclNumber number) {
    return number == NcclNumber::f32 ? ncclFloat32 : number == NcclNumber::f64 ? ncclFloat64 : ncclBfloat16;
  }
  void say(ncclResult_t status, const char* call) const { expect(status, call, comm_.get()); }
  static void expect(ncclResult_t status, const char* call, ncclComm_t comm) {
    if (status == ncclSuccess) return;
    const std::string_view more = ncclGetLastError(comm);
    throw Error("Nccl: ", call, ": ", ncclGetErrorString(status), more.empty() ? "" : ": ", more);
  }

  std::shared_ptr<ncclComm> comm_;
};

}  // namespace rwkv::detail
