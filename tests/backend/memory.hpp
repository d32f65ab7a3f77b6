#pragma once
#include <doctest/doctest.h>

#include <vector>

#include <rwkv/core/config.hpp>

namespace test {

/// Numbers in the memory of machine B.
template <class B>
struct Memory {
  using T = typename B::scalar;
  T* data;
  rwkv::dim_t n;
  explicit Memory(rwkv::dim_t size) : data(B::allocate(size)), n(size) {}
  Memory(const std::vector<T>& host) : Memory(rwkv::dim_t(host.size())) { B::upload(data, host.data(), n); }
  Memory(const Memory&) = delete;
  ~Memory() { B::deallocate(data); }
  std::vector<T> host() const {
    std::vector<T> all(std::size_t(n) + 1, T(-1));
    B::download(all.data(), data, n);
    CHECK(all.back() == T(-1));
    all.pop_back();
    return all;
  }
};

}  // namespace test
