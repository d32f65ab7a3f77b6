#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <rwkv/backend/cpu.hpp>

// What the tests of recurrences with a matrix for each head have in common.
namespace head_test {

using namespace rwkv;

template <class T>
using Numbers = std::vector<T>;

/// The processor as a machine that knows no lanes.
template <class T>
struct Plain : private Cpu<T> {
  using Cpu<T>::allocate, Cpu<T>::deallocate, Cpu<T>::fill, Cpu<T>::copy, Cpu<T>::upload, Cpu<T>::download;
  using Cpu<T>::for_each, Cpu<T>::for_each_row, Cpu<T>::for_each_step, Cpu<T>::matmul, Cpu<T>::batched_matmul;
  using scalar = T;
};

/// Largest difference in a head, as a share of the head's largest number.
template <dim_t H, dim_t N, class T, class U>
double difference(const Numbers<T>& got, const Numbers<U>& want, Seq seq, bool of_states) {
  REQUIRE(got.size() == want.size());
  double worst = 0;
  for (dim_t head = 0; head < seq.batch * H; ++head) {
    double off = 0, largest = 1e-30;
    const auto look = [&](dim_t i) {
      off = std::max(off, std::isfinite(double(got[i])) ? std::abs(double(got[i]) - double(want[i])) : INFINITY);
      largest = std::max(largest, std::abs(double(want[i])));
    };
    if (of_states)
      for (dim_t i = 0; i < N * N; ++i) look(head * N * N + i);
    else
      for (dim_t t = 0; t < seq.time; ++t)
        for (dim_t c = 0; c < N; ++c) look(((head / H * seq.time + t) * H + head % H) * N + c);
    worst = std::max(worst, off / largest);
  }
  return worst;
}

}  // namespace head_test
