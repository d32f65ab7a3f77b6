#pragma once
#include <cublasLt.h>

#include <compare>
#include <map>
#include <optional>

#include <rwkv/backend/gpu/cublas.hpp>

// Products that add a row on the way out, by cuBLASLt: their results are written once, and never read.
namespace rwkv::detail::gpu {

/// A product as cuBLAS sees it: C (rows, columns) = op(A) op(B), all by columns.
struct Product {
  cublasOperation_t of_a, of_b;
  std::int64_t rows, columns, depth, lda, ldb;
  cudaDataType type;
  std::uint32_t alignment;  // of all operands, in bytes
  auto operator<=>(const Product&) const = default;
};

/// How a product plus a vector, added to every column, is made: chosen once for all of the same sizes.
class ProductPlan {
 public:
  explicit ProductPlan(const Product& p)
      : call_(made<cublasLtMatmulDesc_t>(cublasLtMatmulDescCreate, CUBLAS_COMPUTE_32F, CUDA_R_32F)),
        a_(layout(p.type, p.of_a == CUBLAS_OP_N ? p.rows : p.depth, p.of_a == CUBLAS_OP_N ? p.depth : p.rows, p.lda)),
        b_(layout(p.type, p.of_b == CUBLAS_OP_N ? p.depth : p.columns, p.of_b == CUBLAS_OP_N ? p.columns : p.depth,
                  p.ldb)),
        c_(layout(p.type, p.rows, p.columns, p.rows)) {
    set(CUBLASLT_MATMUL_DESC_TRANSA, p.of_a);
    set(CUBLASLT_MATMUL_DESC_TRANSB, p.of_b);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    // Of the row that will be added, only the alignment is looked at here.
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, reinterpret_cast<const void*>(std::uintptr_t(p.alignment)));
    const Handle<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> wish(
        made<cublasLtMatmulPreference_t>(cublasLtMatmulPreferenceCreate));
    const std::uint64_t no_workspace = 0;  // streams of one thread would have to share it
    prefer(wish.get(), CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, no_workspace);
    const std::uint32_t float_sums = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;  // or no parts that have to be added
    prefer(wish.get(), CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, float_sums);
    for (const auto operand : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                               CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
      prefer(wish.get(), operand, p.alignment);
    cublasLtMatmulHeuristicResult_t best{};
    int found = 0;
    const auto status = cublasLtMatmulAlgoGetHeuristic(lt(), call_.get(), a_.get(), b_.get(), c_.get(), c_.get(),
                                                       wish.get(), 1, &best, &found);
    if (status == CUBLAS_STATUS_SUCCESS && found > 0) algorithm_ = best.algo;
  }

  /// False, and nothing is done, where cuBLASLt knows no way.
  bool operator()(const void* a, const void* b, const void* added, void* c) {
    if (!algorithm_) return false;
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, added);
    const float one = 1, zero = 0;
    expect(cublasLtMatmul(lt(), call_.get(), &one, a, a_.get(), b, b_.get(), &zero, c, c_.get(), c, c_.get(),
                          &*algorithm_, nullptr, 0, gpu_stream()),
           "cublasLtMatmul");
    return true;
  }

 private:
  using Layout = Handle<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;

  template <class H>
  static H made(const auto& make, const auto&... with) {
    H handle = nullptr;
    expect(make(&handle, with...), "cublasLt's descriptions");
    return handle;
  }
  static Layout layout(cudaDataType type, std::int64_t rows, std::int64_t columns, std::int64_t apart) {
    return Layout(made<cublasLtMatrixLayout_t>(cublasLtMatrixLayoutCreate, type, static_cast<std::uint64_t>(rows),
                                               static_cast<std::uint64_t>(columns), apart));
  }
  void set(cublasLtMatmulDescAttributes_t attribute, const auto& value) {
    expect(cublasLtMatmulDescSetAttribute(call_.get(), attribute, &value, sizeof value),
           "cublasLtMatmulDescSetAttribute");
  }
  static void prefer(cublasLtMatmulPreference_t wish, cublasLtMatmulPreferenceAttributes_t what, const auto& value) {
    expect(cublasLtMatmulPreferenceSetAttribute(wish, what, &value, sizeof value),
           "cublasLtMatmulPreferenceSetAttribute");
  }
  /// A handle of cuBLAS is one of cuBLASLt as well.
  static cublasLtHandle_t lt() { return reinterpret_cast<cublasLtHandle_t>(cublas()); }

  Handle<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> call_;
  Layout a_, b_, c_;
  std::optional<cublasLtMatmulAlgo_t> algorithm_;
};

/// C (m, n) = op(A) op(B) + a row, row-major; false, and nothing is done, where that is no single call.
template <class T>
bool matmul_add_row(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const T* a, const T* b, const T* row, T* c) {
  std::uint32_t alignment = 256;
  for (const void* const p : {static_cast<const void*>(a), static_cast<const void*>(b), static_cast<const void*>(row),
                              static_cast<const void*>(c)})
    while (reinterpret_cast<std::uintptr_t>(p) % alignment != 0) alignment /= 2;
  if (m <= 0 || n <= 0 || k <= 0 || alignment < 16) return false;
  const Product product{as_cublas(of_b),
                        as_cublas(of_a),
                        n,
                        m,
                        k,
                        of_b == Op::none ? n : k,
                        of_a == Op::none ? k : m,
                        std::is_same_v<T, float> ? CUDA_R_32F : CUDA_R_16BF,
                        alignment};
  thread_local std::map<Product, ProductPlan> plans;
  return plans.try_emplace(product, product).first->second(b, a, row, c);
}
inline bool matmul_add_row(Op, Op, dim_t, dim_t, dim_t, const double*, const double*, const double*, double*) {
  return false;
}

}  // namespace rwkv::detail::gpu
