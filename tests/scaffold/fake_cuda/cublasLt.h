// As much of cuBLASLt as kernels of dense layers use, on the stand-in of the runtime: products by plain
// loops, in the thread of their stream.
#pragma once
#include <cuda_runtime.h>

using cublasStatus_t = int;
enum { CUBLAS_STATUS_SUCCESS = 0, CUBLAS_STATUS_ALLOC_FAILED = 3, CUBLAS_STATUS_INVALID_VALUE = 7 };
enum cublasComputeType_t { CUBLAS_COMPUTE_32F = 68 };
enum cudaDataType_t { CUDA_R_32F = 0 };
enum cublasOperation_t { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1 };
enum cublasLtEpilogue_t {
  CUBLASLT_EPILOGUE_DEFAULT = 1,
  CUBLASLT_EPILOGUE_RELU = 2,
  CUBLASLT_EPILOGUE_BIAS = 4,
  CUBLASLT_EPILOGUE_RELU_BIAS = 6
};
enum cublasLtMatmulDescAttributes_t {
  CUBLASLT_MATMUL_DESC_TRANSA = 3,
  CUBLASLT_MATMUL_DESC_TRANSB = 4,
  CUBLASLT_MATMUL_DESC_EPILOGUE = 7,
  CUBLASLT_MATMUL_DESC_BIAS_POINTER = 8
};
enum cublasLtMatmulPreferenceAttributes_t {
  CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES = 1,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES = 5,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES = 6,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES = 7,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES = 8
};

struct cublasLtMatmulDescOpaque_t {
  cublasOperation_t a, b;
  cublasLtEpilogue_t epilogue;
  const float* bias;
};
struct FakeLayout {
  uint64_t rows, columns;
  int64_t stride;
};
struct FakeLt {
  int live;
};
using cublasLtHandle_t = FakeLt*;
using cublasLtMatmulDesc_t = cublasLtMatmulDescOpaque_t*;
using cublasLtMatrixLayout_t = FakeLayout*;
using cublasLtMatmulPreference_t = FakeLt*;
struct cublasLtMatmulAlgo_t {
  uint64_t data[8];
};
struct cublasLtMatmulHeuristicResult_t {
  cublasLtMatmulAlgo_t algo;
  size_t workspaceSize;
  cublasStatus_t state;
  float wavesCount;
  int reserved[4];
};

inline const char* cublasLtGetStatusName(cublasStatus_t) { return "CUBLAS_STATUS_INVALID_VALUE"; }
inline const char* cublasLtGetStatusString(cublasStatus_t) { return "an invalid value"; }
inline cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) { return *handle = new FakeLt{1}, 0; }
inline cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) { return delete handle, 0; }
inline size_t cublasLtGetVersion() { return 130000; }

inline cublasStatus_t cublasLtMatmulDescInit(cublasLtMatmulDesc_t d, cublasComputeType_t, cudaDataType_t) {
  *d = {CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, nullptr};
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d,
                                                     cublasLtMatmulDescAttributes_t what, const void* value,
                                                     size_t bytes) {
  const auto set = [&](auto& member) {
    if (bytes != sizeof member) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(&member, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (what) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return set(d->a);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return set(d->b);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return set(d->epilogue);
    default:
      return set(d->bias);
  }
}
inline cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType_t,
                                                 uint64_t rows, uint64_t columns, int64_t stride) {
  return *layout = new FakeLayout{rows, columns, stride}, 0;
}
inline cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) { return delete layout, 0; }
inline cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  return *preference = new FakeLt{1}, 0;
}
inline cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p) { return delete p, 0; }
inline cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t,
                                                           cublasLtMatmulPreferenceAttributes_t, const void*,
                                                           size_t) {
  return CUBLAS_STATUS_SUCCESS;
}

namespace fake_cuda {

struct Product {
  cublasOperation_t ta, tb;
  cublasLtEpilogue_t epilogue;
  const float *bias, *a, *b;
  float* d;
  FakeLayout la, lb, ld;
  float alpha, beta;

  void run() const {
    const uint64_t terms = ta == CUBLAS_OP_T ? la.rows : la.columns;
    for (uint64_t column = 0; column < ld.columns; ++column) {
      for (uint64_t row = 0; row < ld.rows; ++row) {
        float sum = 0;
        for (uint64_t k = 0; k < terms; ++k) sum += at(a, la, ta, row, k) * at(b, lb, tb, k, column);
        float& to = d[column * static_cast<uint64_t>(ld.stride) + row];
        float value = alpha * sum + (beta != 0 ? beta * to : 0);
        if (epilogue & CUBLASLT_EPILOGUE_BIAS) value += bias[row];
        if (epilogue & CUBLASLT_EPILOGUE_RELU) value = value <= 0 ? 0 : value;
        to = value;
      }
    }
  }
  static float at(const float* m, const FakeLayout& l, cublasOperation_t t, uint64_t row, uint64_t column) {
    return t == CUBLAS_OP_T ? m[row * static_cast<uint64_t>(l.stride) + column]
                            : m[column * static_cast<uint64_t>(l.stride) + row];
  }
};

}  // namespace fake_cuda

// The shapes fit, and the workspace is used: a layer that asks for too little is found out.
inline cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t o,
                                                     cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                                     cublasLtMatrixLayout_t, cublasLtMatrixLayout_t d,
                                                     cublasLtMatmulPreference_t, int,
                                                     cublasLtMatmulHeuristicResult_t* result, int* found) {
  const uint64_t m = o->a == CUBLAS_OP_T ? a->columns : a->rows,
                 k = o->a == CUBLAS_OP_T ? a->rows : a->columns;
  const uint64_t n = o->b == CUBLAS_OP_T ? b->rows : b->columns,
                 l = o->b == CUBLAS_OP_T ? b->columns : b->rows;
  if (k != l || m != d->rows || n != d->columns) return CUBLAS_STATUS_INVALID_VALUE;
  *result = {};
  result->workspaceSize = 128;
  return *found = 1, CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t o, const void* alpha,
                                     const void* a, cublasLtMatrixLayout_t la, const void* b,
                                     cublasLtMatrixLayout_t lb, const void* beta, const void*,
                                     cublasLtMatrixLayout_t, void* d, cublasLtMatrixLayout_t ld,
                                     const cublasLtMatmulAlgo_t*, void* workspace, size_t bytes,
                                     cudaStream_t stream) {
  if (handle->live != 1 || bytes != 128 || reinterpret_cast<uintptr_t>(workspace) % 256 != 0)
    return CUBLAS_STATUS_INVALID_VALUE;
  const fake_cuda::Product product{o->a,
                                   o->b,
                                   o->epilogue,
                                   o->bias,
                                   static_cast<const float*>(a),
                                   static_cast<const float*>(b),
                                   static_cast<float*>(d),
                                   *la,
                                   *lb,
                                   *ld,
                                   *static_cast<const float*>(alpha),
                                   *static_cast<const float*>(beta)};
  return stream->queue([=](fake_cuda::Block&) {
    std::memset(workspace, 0xFF, bytes);
    product.run();
    return cudaSuccess;
  });
}
