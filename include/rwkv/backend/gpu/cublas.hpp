#pragma once
#include <cublas_v2.h>

#include <type_traits>

#include <rwkv/backend/backend.hpp>
#include <rwkv/backend/gpu/cuda_handle.hpp>
#include <rwkv/backend/gpu/cuda_stream.hpp>
#include <rwkv/backend/gpu/errors.hpp>
#include <rwkv/core/bf16.hpp>

namespace rwkv::detail::gpu {

inline void expect(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS) throw Error("Gpu::matmul: ", call, ": ", cublasGetStatusString(status), blame);
}

/// The calling thread's handle of cuBLAS, on its stream. Parts of a sum are never added in bf16.
inline cublasHandle_t cublas() {
  thread_local Handle<cublasHandle_t, cublasDestroy> mine;
  if (!mine) {
    cublasHandle_t made = nullptr;
    expect(cublasCreate(&made), "cublasCreate");
    mine.reset(made);
    expect(cublasSetMathMode(made, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION), "cublasSetMathMode");
  }
  expect(cublasSetStream(mine.get(), gpu_stream()), "cublasSetStream");
  return mine.get();
}

/// CUDA's name of a number.
template <class T>
inline constexpr cudaDataType cuda_type = std::is_same_v<T, double>  ? CUDA_R_64F
                                          : std::is_same_v<T, float> ? CUDA_R_32F
                                                                     : CUDA_R_16BF;

inline cublasStatus_t gemm(cublasOperation_t of_a, cublasOperation_t of_b, std::int64_t m, std::int64_t n,
                           std::int64_t k, float one, const float* a, std::int64_t lda, const float* b,
                           std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  return cublasSgemm_64(cublas(), of_a, of_b, m, n, k, &one, a, lda, b, ldb, &beta, c, ldc);
}
inline cublasStatus_t gemm(cublasOperation_t of_a, cublasOperation_t of_b, std::int64_t m, std::int64_t n,
                           std::int64_t k, double one, const double* a, std::int64_t lda, const double* b,
                           std::int64_t ldb, double beta, double* c, std::int64_t ldc) {
  return cublasDgemm_64(cublas(), of_a, of_b, m, n, k, &one, a, lda, b, ldb, &beta, c, ldc);
}
/// Sums are float whatever C is.
template <class Out>
cublasStatus_t gemm(cublasOperation_t of_a, cublasOperation_t of_b, std::int64_t m, std::int64_t n, std::int64_t k,
                    float one, const bf16* a, std::int64_t lda, const bf16* b, std::int64_t ldb, float beta, Out* c,
                    std::int64_t ldc) {
  return cublasGemmEx_64(cublas(), of_a, of_b, m, n, k, &one, a, CUDA_R_16BF, lda, b, CUDA_R_16BF, ldb, &beta, c,
                         cuda_type<Out>, ldc, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
}

inline cublasOperation_t as_cublas(Op op) {
  return op == Op::none ? CUBLAS_OP_N : CUBLAS_OP_T;
}
/// cuBLAS counts by columns: what it sees of row-major matrices are their transposes, and C^T = op(B)^T op(A)^T. k > 0.
template <class T, class Out>
void matmul(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const T* a, const T* b, Out* c, compute_of<T> beta) {
  if (m <= 0 || n <= 0) return;
  const auto row = [](Op op, dim_t rows, dim_t columns) { return op == Op::none ? columns : rows; };
  expect(gemm(as_cublas(of_b), as_cublas(of_a), n, m, k, compute_of<T>(1), b, row(of_b, k, n), a, row(of_a, m, k), beta,
              c, n),
         "cublasGemm");
}
template <class T, class Out>
void batched_matmul(dim_t count, Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, Matrices<const T> a, Matrices<const T> b,
                    Matrices<Out> c, compute_of<T> beta) {
  if (count <= 0 || m <= 0 || n <= 0) return;
  const compute_of<T> one = 1;
  constexpr auto sums = std::is_same_v<T, double> ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F;
  expect(cublasGemmStridedBatchedEx_64(cublas(), as_cublas(of_b), as_cublas(of_a), n, m, k, &one, b.data, cuda_type<T>,
                                       b.row, b.stride, a.data, cuda_type<T>, a.row, a.stride, &beta, c.data,
                                       cuda_type<Out>, c.row, c.stride, count, sums, CUBLAS_GEMM_DEFAULT),
         "cublasGemmStridedBatchedEx");
}

}  // namespace rwkv::detail::gpu
