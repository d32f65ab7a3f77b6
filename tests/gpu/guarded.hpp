#pragma once
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include <rwkv/backend/gpu.hpp>

namespace test {

/// Memory that can be touched only while a call of the machine is under way, as a GPU's cannot be by the processor.
class Guard {
 public:
  static Guard& one() {
    static Guard guard;
    return guard;
  }
  void* take(std::size_t bytes) {
    const std::size_t size = (bytes + page - 1) / page * page;
    void* const p = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    sizes_[p] = size;
    return p;
  }
  void give(void* p) {
    ::munmap(p, sizes_[p]);
    sizes_.erase(p);
  }
  template <class Call>
  void open(const Call& call) {
    protect(PROT_READ | PROT_WRITE);
    call();
    protect(PROT_NONE);
  }

 private:
  static constexpr std::size_t page = 1 << 12;
  void protect(int how) {
    for (const auto& [p, size] : sizes_)
      if (::mprotect(p, size, how) != 0) std::abort();
  }
  std::map<void*, std::size_t> sizes_;
};

/// Gpu in such memory: whoever reads or writes it without a verb is stopped by the machine.
template <class T>
struct Guarded {
  using scalar = T;
  using Device = rwkv::Gpu<T>;
  using dim_t = rwkv::dim_t;
  static T* allocate(dim_t n) {
    return static_cast<T*>(Guard::one().take(sizeof(T) * std::size_t(std::max<dim_t>(n, 1))));
  }
  static void deallocate(T* p) { Guard::one().give(p); }
  static void fill(T* p, dim_t n, T value) {
    Guard::one().open([&] { Device::fill(p, n, value); });
  }
  static void copy(T* to, const T* from, dim_t n) {
    Guard::one().open([&] { Device::copy(to, from, n); });
  }
  static void upload(T* to, const T* from, dim_t n) {
    Guard::one().open([&] { Device::upload(to, from, n); });
  }
  static void download(T* to, const T* from, dim_t n) {
    Guard::one().open([&] { Device::download(to, from, n); });
  }
  static void for_each(dim_t rows, dim_t columns, const auto& f) {
    Guard::one().open([&] { Device::for_each(rows, columns, f); });
  }
  static void for_each_row(dim_t rows, const auto& f) {
    Guard::one().open([&] { Device::for_each_row(rows, f); });
  }
  static void for_each_step(dim_t rows, dim_t columns, dim_t steps, const auto& f, dim_t weight = 1) {
    Guard::one().open([&] { Device::for_each_step(rows, columns, steps, f, weight); });
  }
  static void matmul(rwkv::Op of_a, rwkv::Op of_b, dim_t m, dim_t n, dim_t k, const T* a, const T* b, T* c, T beta) {
    Guard::one().open([&] { Device::matmul(of_a, of_b, m, n, k, a, b, c, beta); });
  }
  static void batched_matmul(dim_t count, rwkv::Op of_a, rwkv::Op of_b, dim_t m, dim_t n, dim_t k,
                             rwkv::Matrices<const T> a, rwkv::Matrices<const T> b, rwkv::Matrices<T> c, T beta) {
    Guard::one().open([&] { Device::batched_matmul(count, of_a, of_b, m, n, k, a, b, c, beta); });
  }
};

}  // namespace test
