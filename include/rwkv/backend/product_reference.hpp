#pragma once
#include <Eigen/Core>

#include <rwkv/backend/backend.hpp>

namespace rwkv {

/// What product computes, by Eigen, for any scalar and on one thread: the reference of tests and benchmarks.
template <class T>
void product_reference(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const T* a, const T* b, T* c, T beta) {
  using M = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Map<const M> A(a, of_a == Op::none ? m : k, of_a == Op::none ? k : m);
  Eigen::Map<const M> B(b, of_b == Op::none ? k : n, of_b == Op::none ? n : k);
  Eigen::Map<M> C(c, m, n);
  if (beta == T(0))
    C.setZero();
  else
    C *= beta;
  if (of_a == Op::none && of_b == Op::none)
    C.noalias() += A * B;
  else if (of_a == Op::none)
    C.noalias() += A * B.transpose();
  else if (of_b == Op::none)
    C.noalias() += A.transpose() * B;
  else
    C.noalias() += A.transpose() * B.transpose();
}

}  // namespace rwkv
