#pragma once
#include <algorithm>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/distributed/launched_ranks.hpp>
#include <rwkv/distributed/mpi_error.hpp>

namespace rwkv::detail {

/// MPI itself: started unless the program has done so, and then ended, too.
class MpiLibrary {
 public:
  MpiLibrary() {
    int is = 0;
    MPI_Finalized(&is);
    if (is)
      throw Error("Mpi: expected MPI not to have ended, as it starts once; keep an Mpi while the program needs one");
    MPI_Initialized(&is);
    ours_ = !is;
    int level = 0;
    if (ours_) expect_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level), "MPI_Init_thread");
  }
  MpiLibrary(const MpiLibrary&) = delete;
  MpiLibrary& operator=(const MpiLibrary&) = delete;
  ~MpiLibrary() {
    if (ours_ && !interrupted() && running()) MPI_Finalize();
  }

  static bool running() {
    int ended = 0;
    MPI_Finalized(&ended);
    return !ended;
  }
  /// An exception ends the program here, while other ranks may wait for this one: to wait for them would be forever.
  /// Without it, mpirun sees that a rank is gone, and ends them.
  bool interrupted() const { return std::uncaught_exceptions() > before_; }

 private:
  const int before_ = std::uncaught_exceptions();
  bool ours_ = false;
};

/// A communicator of MPI made of another, whose messages meet no others, and whose errors are returned.
class MpiGroup {
 public:
  explicit MpiGroup(MPI_Comm comm)
      : MpiGroup(comm, [](MPI_Comm old, MPI_Comm* copy) { expect_mpi(MPI_Comm_dup(old, copy), "MPI_Comm_dup"); }) {}
  /// make(comm, MPI_Comm*): another one.
  template <class Make>
  MpiGroup(MPI_Comm comm, const Make& make) {
    make(comm, &comm_);
    MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
  }
  MpiGroup(const MpiGroup&) = delete;
  MpiGroup& operator=(const MpiGroup&) = delete;
  ~MpiGroup() {
    if (std::uncaught_exceptions() <= before_ && MpiLibrary::running()) MPI_Comm_free(&comm_);
  }

  MPI_Comm comm() const { return comm_; }
  int rank() const { return rank_; }
  int size() const { return size_; }

 private:
  const int before_ = std::uncaught_exceptions();
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
};

/// What the copies of an Mpi share.
struct MpiSession {
  const std::optional<LaunchedRanks> launched = launched_ranks();  // before MPI may change the environment
  MpiLibrary library;
  MpiGroup numbers, endings;    // a rank that fails tells it while others are in the midst of numbers
  std::vector<std::byte> room;  // for what travels

  explicit MpiSession(MPI_Comm comm) : numbers(comm), endings(comm) {}
};

/// Error if somebody started several ranks and this is alone: the library is not that of the mpirun.
inline void expect_launched(const MpiSession& session) {
  if (!session.launched || session.launched->ranks < 2 || session.numbers.size() > 1) return;
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int size = 0;
  MPI_Get_library_version(text, &size);
  std::string name(text, static_cast<std::size_t>(size));
  name.resize(std::min(name.find_first_of(",\n"), name.size()));
  std::ranges::replace(name, '\t', ' ');  // "MPICH Version:\t4.0.2"
  throw Error("Mpi: expected ", session.launched->ranks, " ranks, as ", session.launched->variable,
              " says, found 1: the program is linked with ", name,
              ", and was started by the mpirun of another MPI; start it by that of its own");
}

}  // namespace rwkv::detail
