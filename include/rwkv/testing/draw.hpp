#pragma once
#include <cstdint>

#include <rwkv/core/config.hpp>
#include <rwkv/core/random.hpp>

namespace rwkv::testing {

/// Random numbers, one after another: the same seed gives the same row of them.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_{seed} {}

  double normal() { return random_.normals(next_++)[0]; }
  /// From 0 to n - 1.
  dim_t below(dim_t n) { return static_cast<dim_t>(random_.below(static_cast<std::uint64_t>(n), next_++)); }
  /// True once in n times.
  bool once_in(dim_t n) { return below(n) == 0; }
  template <class T, std::size_t Count>
  T one_of(const T (&choices)[Count]) {
    return choices[below(static_cast<dim_t>(Count))];
  }

 private:
  Random random_;
  std::uint64_t next_ = 0;
};

}  // namespace rwkv::testing
