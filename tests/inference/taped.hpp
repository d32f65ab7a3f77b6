#pragma once
#include <functional>
#include <vector>

#include <rwkv/backend/graph_cache.hpp>

#include "../grid/host_grid.hpp"

namespace test {

/// A machine that records calls as a GPU does: what they would do is kept with everything they were given by value, and
/// nothing is done before it is played. Its kernels are those of a GPU, on the processor.
template <class T>
class Taped {
 public:
  using scalar = T;
  using dim_t = rwkv::dim_t;
  static constexpr bool asynchronous = true;

  class Record {
   public:
    explicit Record(const auto& calls) {
      taping = this;
      try {
        calls();
      } catch (...) {
        taping = nullptr;
        throw;
      }
      taping = nullptr;
    }
    void operator()() const {
      ++played;
      for (const auto& call : calls_) call();
    }
    static inline int played = 0;

   private:
    friend Taped;
    std::vector<std::function<void()>> calls_;
  };

  static T* allocate(dim_t n) { return refused("allocate"), Host::allocate(n); }
  static void deallocate(T* p) { Host::deallocate(p); }
  static void upload(T* to, const T* from, dim_t n) { refused("upload"), Host::upload(to, from, n); }
  static void download(T* to, const T* from, dim_t n) { refused("download"), Host::download(to, from, n); }
  static void fill(T* p, dim_t n, T value) {
    make([=] { Host::fill(p, n, value); });
  }
  static void copy(T* to, const T* from, dim_t n) {
    make([=] { Host::copy(to, from, n); });
  }
  static void for_each(dim_t rows, dim_t columns, const auto& f) {
    make([=] { Host::for_each(rows, columns, f); });
  }
  static void for_each_row(dim_t rows, const auto& f) {
    make([=] { Host::for_each_row(rows, f); });
  }
  static void for_each_step(dim_t rows, dim_t columns, dim_t steps, const auto& f, dim_t weight = 1) {
    make([=] { Host::for_each_step(rows, columns, steps, f, weight); });
  }
  template <class Out>
  static void matmul(rwkv::Op of_a, rwkv::Op of_b, dim_t m, dim_t n, dim_t k, const T* a, const T* b, Out* c,
                     rwkv::compute_of<T> beta) {
    make([=] { Host::matmul(of_a, of_b, m, n, k, a, b, c, beta); });
  }
  template <class Out>
  static void batched_matmul(dim_t count, rwkv::Op of_a, rwkv::Op of_b, dim_t m, dim_t n, dim_t k,
                             rwkv::Matrices<const T> a, rwkv::Matrices<const T> b, rwkv::Matrices<Out> c,
                             rwkv::compute_of<T> beta) {
    make([=] { Host::batched_matmul(count, of_a, of_b, m, n, k, a, b, c, beta); });
  }
  template <class Kernel>
  static void launch(dim_t blocks, const Kernel& kernel) {
    make([=] { Host::launch(blocks, kernel); });
  }

 private:
  using Host = HostGrid<T>;
  static inline thread_local Record* taping = nullptr;

  template <class Call>
  static void make(Call call) {
    if (taping)
      taping->calls_.emplace_back(std::move(call));
    else
      call();
  }
  static void refused(const char* verb) {
    if (taping) throw rwkv::CannotCapture(verb, " cannot be recorded");
  }
};

}  // namespace test
