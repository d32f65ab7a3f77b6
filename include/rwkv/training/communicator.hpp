#pragma once
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/training/share.hpp>

namespace rwkv {

/// Connects the processes that train one model together, its ranks. All of them make the same calls in the same order,
/// with as many numbers; a call returns when its own rank may go on. `numbers` are n in the memory of machine B.
/// - `sum<B>` replaces them by their sums over all ranks, the same bits in each: scatter_sums, then gather.
/// - `scatter_sums<B>` leaves the sums in the rank's own share (share_of); the other shares may hold anything then.
/// - `gather<B>` copies every rank's own share to all.
/// - `broadcast<B>` copies those of the rank `root` to all.
/// - `send<B>` in one rank meets `receive<B>` in the other, with as many numbers; other ranks need not call.
/// - `gather_texts` returns the text of every rank, in their order: short ones, by which ranks compare what must be
///   equal and tell each other what went wrong.
/// `sum<B, bf16>` and `scatter_sums<B, bf16>` round every number that is added up to bf16, so that fewer bytes travel.
template <class C, class B>
concept Communicator = requires(C& c, const C& self, typename B::scalar* numbers, const typename B::scalar* from,
                                double* host, dim_t n, int root, std::string_view text) {
  { self.rank() } -> std::same_as<int>;  // from 0; rank 0 writes logs and files
  { self.size() } -> std::same_as<int>;  // how many ranks
  c.template sum<B>(numbers, n);
  c.template sum<B, bf16>(numbers, n);
  c.template scatter_sums<B>(numbers, n);
  c.template scatter_sums<B, bf16>(numbers, n);
  c.template gather<B>(numbers, n);
  c.template broadcast<B>(numbers, n, root);
  c.template send<B>(from, n, root);
  c.template receive<B>(numbers, n, root);
  c.template sum<Cpu<double>>(host, n);
  { c.gather_texts(text) } -> std::same_as<std::vector<std::string>>;
};

/// One process alone.
struct SingleProcess {
  static constexpr int rank() { return 0; }
  static constexpr int size() { return 1; }
  template <class B, class Travel = typename B::scalar>
  static constexpr void sum(typename B::scalar*, dim_t) {}
  template <class B, class Travel = typename B::scalar>
  static constexpr void scatter_sums(typename B::scalar*, dim_t) {}
  template <class B>
  static constexpr void gather(typename B::scalar*, dim_t) {}
  template <class B>
  static constexpr void broadcast(typename B::scalar*, dim_t, int) {}
  template <class B>
  static constexpr void send(const typename B::scalar*, dim_t, int) {}
  template <class B>
  static constexpr void receive(typename B::scalar*, dim_t, int) {}
  static std::vector<std::string> gather_texts(std::string_view text) { return {std::string(text)}; }
};

}  // namespace rwkv
