#pragma once
#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/distributed/host_numbers.hpp>
#include <rwkv/distributed/mpi_messages.hpp>
#include <rwkv/distributed/rounds.hpp>
#include <rwkv/distributed/sum_in_order.hpp>

namespace rwkv {
namespace detail {
/// A machine whose numbers are the characters of texts.
struct Bytewise {
  using scalar = char;
};
}  // namespace detail

/// The ranks of a program that mpirun started: a Communicator and PointToPoint by MPI, any of them. Copies are the same
/// rank; the last one ends MPI, unless the program started it.
///
/// A sum is that of rank 0 plus that of rank 1 and so on, whatever the MPI: every rank sends each other's share to its
/// owner in pieces, who adds them in this order. So a run repeats to the bit, which MPI_Allreduce does not promise;
/// bf16 numbers, of which MPI knows nothing, need no MPI_Op; and each rank sends 2 n (size - 1) / size numbers, the
/// fewest that there can be. Numbers in a GPU's memory travel by way of the host's.
///
/// Calls come from one thread at a time. What MPI reports is an Error; other ranks may then wait for this one: see
/// run_ranks.
class Mpi {
 public:
  /// All ranks. `tell` is called where nobody started several; without it, a line on stderr. Error if several were
  /// started by the mpirun of another MPI, so that each is alone.
  explicit Mpi(const std::function<void(const std::string&)>& tell = {}) : Mpi(MPI_COMM_WORLD) {
    detail::expect_launched(*session_);
    if (session_->launched || size() > 1) return;
    const std::string words = "one rank alone: mpirun -n 2 before the command starts two";
    tell ? tell(words) : void(std::fprintf(stderr, "%s\n", words.c_str()));
  }
  /// Those of a communicator of the program's own, which it may free.
  explicit Mpi(MPI_Comm comm) : session_(std::make_shared<detail::MpiSession>(comm)) {}

  int rank() const { return session_->numbers.rank(); }
  int size() const { return session_->numbers.size(); }

  template <class B, class Travel = typename B::scalar>
  void sum(typename B::scalar* numbers, dim_t n) {
    scatter_sums<B, Travel>(numbers, n);
    gather<B>(numbers, n);
  }
  template <class B, class Travel = typename B::scalar>
  void scatter_sums(typename B::scalar* numbers, dim_t n);
  template <class B>
  void gather(typename B::scalar* numbers, dim_t n);
  template <class B>
  void broadcast(typename B::scalar* numbers, dim_t n, int root) {
    in_pieces<B>(numbers, n, rank() == root, rank() != root, [&](auto* piece, int bytes) {
      detail::expect_mpi(MPI_Bcast(piece, bytes, MPI_BYTE, root, comm()), "MPI_Bcast");
    });
  }
  std::vector<std::string> gather_texts(std::string_view text) {
    const auto ranks = static_cast<std::size_t>(size());
    const std::uint64_t mine = text.size();
    std::vector<std::uint64_t> sizes(ranks);
    detail::expect_mpi(MPI_Allgather(&mine, 1, MPI_UINT64_T, sizes.data(), 1, MPI_UINT64_T, comm()), "MPI_Allgather");
    std::vector<std::string> texts(ranks);
    for (int r = 0; r < size(); ++r) {
      std::string& its = texts[std::size_t(r)];
      its = r == rank() ? std::string(text) : std::string(sizes[std::size_t(r)], '\0');
      broadcast<detail::Bytewise>(its.data(), static_cast<dim_t>(its.size()), r);
    }
    return texts;
  }

  template <class B>
  void send(const typename B::scalar* numbers, dim_t n, int to) {
    in_pieces<B>(numbers, n, true, false, [&](const auto* piece, int bytes) {
      detail::expect_mpi(MPI_Send(piece, bytes, MPI_BYTE, to, 1, comm()), "MPI_Send");
    });
  }
  template <class B>
  void receive(typename B::scalar* numbers, dim_t n, int from) {
    in_pieces<B>(numbers, n, false, true, [&](auto* piece, int bytes) {
      MPI_Status status;
      detail::expect_mpi(MPI_Recv(piece, bytes, MPI_BYTE, from, 1, comm(), &status), "MPI_Recv");
      int found = 0;
      MPI_Get_count(&status, MPI_BYTE, &found);
      if (found != bytes)
        throw Error("Mpi::receive: expected ", bytes, " bytes of rank ", from, ", found ", found, " in rank ", rank());
    });
  }

  /// Counted from 0 on each machine that ranks run on; all ranks call it.
  int rank_on_machine() const {
    const auto on_machine = [](MPI_Comm all, MPI_Comm* those) {
      detail::expect_mpi(MPI_Comm_split_type(all, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, those),
                         "MPI_Comm_split_type");
    };
    return detail::MpiGroup(comm(), on_machine).rank();
  }
  /// For what the ranks tell each other when they end.
  MPI_Comm endings() const { return session_->endings.comm(); }

 private:
  MPI_Comm comm() const { return session_->numbers.comm(); }
  template <class T>
  T* room(dim_t n) {
    auto& bytes = session_->room;
    bytes.resize(std::max(bytes.size(), sizeof(T) * static_cast<std::size_t>(n)));
    return reinterpret_cast<T*>(bytes.data());
  }
  template <class B, class T, class F>
  void in_pieces(T* numbers, dim_t n, bool give, bool take, const F& f);

  std::shared_ptr<detail::MpiSession> session_;
};

/// f(piece, its bytes) in the host's memory: fetched before where they are given, put back where they are taken.
template <class B, class T, class F>
void Mpi::in_pieces(T* numbers, dim_t n, bool give, bool take, const F& f) {
  constexpr bool direct = detail::in_host_memory<B>;
  using scalar = typename B::scalar;
  const dim_t most = (direct ? detail::most_bytes : detail::travelling_bytes) / static_cast<dim_t>(sizeof(scalar));
  const detail::Rounds rounds{n, 1, most};
  for (dim_t round = 0; round < rounds.count(); ++round) {
    const Share piece = rounds.of(0, round);
    const int bytes = detail::bytes_of_message<scalar>(piece.size);
    if constexpr (direct) {
      f(numbers + piece.first, bytes);
    } else {
      scalar* const host = room<scalar>(most);
      if (give) B::download(host, numbers + piece.first, piece.size);
      f(host, bytes);
      if constexpr (!std::is_const_v<T>)
        if (take) B::upload(numbers + piece.first, host, piece.size);
    }
  }
}

template <class B, class Travel>
void Mpi::scatter_sums(typename B::scalar* numbers, dim_t n) {
  using T = typename B::scalar;
  constexpr bool as_they_lie = detail::in_host_memory<B> && std::is_same_v<T, Travel>;
  if (size() == 1) return;
  const dim_t most = detail::piece_of(n, size(), detail::travelling_bytes / static_cast<dim_t>(sizeof(Travel)));
  const detail::Rounds rounds{n, size(), most};
  struct Flight {
    detail::MpiMessages messages;
    std::vector<const Travel*> parts;  // of every rank
  };
  const Flight none{detail::MpiMessages(session_->numbers), std::vector<const Travel*>(std::size_t(size()))};
  std::array flights{none, none};  // while one is added up, the next is under way
  const dim_t received_and_sent = (as_they_lie ? 1 : 2) * size() * most;
  Travel* const memory = room<Travel>(2 * received_and_sent);
  std::vector<T> sums(detail::in_host_memory<B> ? 0 : std::size_t(most));

  const auto start = [&](dim_t round) {
    Flight& flight = flights[std::size_t(round % 2)];
    Travel* const received = memory + round % 2 * received_and_sent;
    for (int r = 0; r < size(); ++r)
      if (r != rank()) flight.messages.receive(received + r * most, rounds.of(rank(), round).size, r);
    for (int r = 0; r < size(); ++r) {
      const Share theirs = rounds.of(r, round);
      const Travel* from;
      if constexpr (as_they_lie) {
        from = numbers + theirs.first;
      } else {
        Travel* const copy = received + (size() + r) * most;
        detail::take_to_host<B>(copy, numbers + theirs.first, theirs.size);
        from = copy;
      }
      flight.parts[std::size_t(r)] = r == rank() ? from : received + r * most;
      if (r != rank()) flight.messages.send(from, theirs.size, r);
    }
  };
  const auto finish = [&](dim_t round) {
    Flight& flight = flights[std::size_t(round % 2)];
    flight.messages.wait();
    const Share own = rounds.of(rank(), round);
    if constexpr (detail::in_host_memory<B>) {
      detail::sum_in_order<T, Travel>(flight.parts, own.size, numbers + own.first);
    } else {
      detail::sum_in_order<T, Travel>(flight.parts, own.size, sums.data());
      B::upload(numbers + own.first, sums.data(), own.size);
    }
  };
  for (dim_t round = 0; round < rounds.count(); ++round) {
    if (round == 0) start(0);
    if (round + 1 < rounds.count()) start(round + 1);
    finish(round);
  }
}

template <class B>
void Mpi::gather(typename B::scalar* numbers, dim_t n) {
  using T = typename B::scalar;
  constexpr bool direct = detail::in_host_memory<B>;
  const dim_t at_a_time = (direct ? detail::most_bytes : detail::travelling_bytes) / static_cast<dim_t>(sizeof(T));
  const dim_t most = detail::piece_of(n, size(), at_a_time);
  const detail::Rounds rounds{n, size(), most};
  T* const memory = direct ? nullptr : room<T>(size() * most);
  detail::MpiMessages messages(session_->numbers);
  for (dim_t round = 0; round < rounds.count(); ++round) {
    const auto piece = [&](int r) { return direct ? numbers + rounds.of(r, round).first : memory + r * most; };
    const Share own = rounds.of(rank(), round);
    if constexpr (!direct) B::download(piece(rank()), numbers + own.first, own.size);
    for (int r = 0; r < size(); ++r)
      if (r != rank()) messages.receive(piece(r), rounds.of(r, round).size, r);
    for (int r = 0; r < size(); ++r)
      if (r != rank()) messages.send(piece(rank()), own.size, r);
    messages.wait();
    if constexpr (!direct)
      for (int r = 0; r < size(); ++r)
        if (const Share theirs = rounds.of(r, round); r != rank())
          B::upload(numbers + theirs.first, piece(r), theirs.size);
  }
}

}  // namespace rwkv
