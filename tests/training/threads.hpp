#pragma once
#include <barrier>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include <rwkv/backend/cpu.hpp>

namespace test {

/// Trains in several threads of one process as if they were processes.
class Threads {
  struct Shared {
    explicit Shared(int n) : arrive(n), numbers(std::size_t(n)) {}
    std::barrier<> arrive;
    std::vector<void*> numbers;
  };

 public:
  /// rwkv::Communicator
  class Rank {
   public:
    Rank(Shared& shared, int rank) : shared_(&shared), rank_(rank) {}
    int rank() const { return rank_; }
    int size() const { return int(shared_->numbers.size()); }
    template <class B>
    void sum(typename B::scalar* p, rwkv::dim_t n) {
      using T = typename B::scalar;
      shared_->numbers[std::size_t(rank_)] = p;
      shared_->arrive.arrive_and_wait();
      std::vector<T> sums(std::size_t(n), T(0));
      for (void* numbers : shared_->numbers)
        for (rwkv::dim_t i = 0; i < n; ++i) sums[std::size_t(i)] += static_cast<const T*>(numbers)[i];
      shared_->arrive.arrive_and_wait();
      std::copy(sums.begin(), sums.end(), p);
    }

   private:
    Shared* shared_;
    int rank_;
  };

  static void run(int n, const std::function<void(Rank)>& train) {
    Shared shared(n);
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < n; ++rank) threads.emplace_back([&, rank] { train(Rank(shared, rank)); });
  }
};

}  // namespace test
