#pragma once
#include <vector>

#include <rwkv/distributed/mpi_session.hpp>

namespace rwkv::detail {

/// Bytes of a call of MPI, which counts in int.
inline constexpr dim_t most_bytes = dim_t{1} << 30;
/// Bytes that travel at a time where they need room elsewhere: enough for a network, little enough for a cache.
inline constexpr dim_t travelling_bytes = dim_t{1} << 22;

template <class T>
int bytes_of_message(dim_t n) {
  return static_cast<int>(n * static_cast<dim_t>(sizeof(T)));
}

/// Messages that are under way together.
class MpiMessages {
 public:
  explicit MpiMessages(const MpiGroup& group) : comm_(group.comm()) {}

  template <class T>
  void send(const T* from, dim_t n, int to) {
    if (n > 0) expect_mpi(MPI_Isend(from, bytes_of_message<T>(n), MPI_BYTE, to, 0, comm_, &add()), "MPI_Isend");
  }
  template <class T>
  void receive(T* to, dim_t n, int from) {
    if (n > 0) expect_mpi(MPI_Irecv(to, bytes_of_message<T>(n), MPI_BYTE, from, 0, comm_, &add()), "MPI_Irecv");
  }
  void wait() {
    expect_mpi(MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
    requests_.clear();
  }

 private:
  MPI_Request& add() { return requests_.emplace_back(MPI_REQUEST_NULL); }

  MPI_Comm comm_;
  std::vector<MPI_Request> requests_;
};

}  // namespace rwkv::detail
