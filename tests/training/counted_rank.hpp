#pragma once
#include <rwkv/distributed/threads.hpp>

namespace test {

/// Bytes that a rank sends, of more than single numbers.
struct SentBytes {
  rwkv::dim_t sums = 0, gathered = 0, broadcast = 0, messages = 0;
};

/// A rank that counts what it sends.
struct CountedRank : rwkv::ThreadRank {
  SentBytes* sent;
  CountedRank(rwkv::ThreadRank rank, SentBytes* to) : ThreadRank(rank), sent(to) {}

  template <class B, class Travel = typename B::scalar>
  void sum(typename B::scalar* numbers, rwkv::dim_t n) {
    scatter_sums<B, Travel>(numbers, n);
    gather<B>(numbers, n);
  }
  template <class B, class Travel = typename B::scalar>
  void scatter_sums(typename B::scalar* numbers, rwkv::dim_t n) {
    add(sent->sums, n, n - own(n), sizeof(Travel));
    ThreadRank::scatter_sums<B, Travel>(numbers, n);
  }
  template <class B>
  void gather(typename B::scalar* numbers, rwkv::dim_t n) {
    add(sent->gathered, n, own(n) * (size() - 1), sizeof(typename B::scalar));
    ThreadRank::gather<B>(numbers, n);
  }
  template <class B>
  void broadcast(typename B::scalar* numbers, rwkv::dim_t n, int root) {
    add(sent->broadcast, n, root == rank() ? n * (size() - 1) : 0, sizeof(typename B::scalar));
    ThreadRank::broadcast<B>(numbers, n, root);
  }
  template <class B>
  void send(const typename B::scalar* numbers, rwkv::dim_t n, int to) {
    add(sent->messages, n, n, sizeof(typename B::scalar));
    ThreadRank::send<B>(numbers, n, to);
  }

 private:
  rwkv::dim_t own(rwkv::dim_t n) const { return rwkv::share_of(n, rank(), size()).size; }
  static void add(rwkv::dim_t& to, rwkv::dim_t all, rwkv::dim_t numbers, std::size_t bytes) {
    if (all > 1) to += numbers * rwkv::dim_t(bytes);
  }
};

}  // namespace test
