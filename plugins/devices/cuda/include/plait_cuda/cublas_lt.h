// The stream's handle of cuBLASLt, and products of matrices with it.
//
// A product is planned in the constructor of a Kernel, by the library's own rule for the shape, which looks
// at no clock: the same shapes, card and version give the same algorithm, and the same bits. Its workspace is
// the layer's.
//
// Fails with: the library's text and what was done.
#pragma once
#include <cublasLt.h>

#include <plait/cuda.hpp>
#include <plait/sdk.hpp>

namespace plait_cuda {

using plait::sdk::Context;

// Throws "<doing>: <the library's name of the error>".
inline void check(cublasStatus_t status, const char* doing) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const bool full = status == CUBLAS_STATUS_ALLOC_FAILED;
  throw plait::sdk::Error(full ? plait::sdk::ErrorCode::kMemory : plait::sdk::ErrorCode::kException, doing,
                          ": ", cublasLtGetStatusString(status), " (", cublasLtGetStatusName(status), ")");
}

inline cublasLtHandle_t cublas_lt(const Context& c) {
  const auto make = [] {
    cublasLtHandle_t handle = nullptr;
    check(cublasLtCreate(&handle), "a handle of cuBLASLt");
    return handle;
  };
  return plait::sdk::gpu::kept(c, "cublasLt/13", make,
                               [](cublasLtHandle_t handle) { cublasLtDestroy(handle); });
}

// For numerics(): what decides the bits of its products beside the card.
inline std::string cublas_lt_facts() { return plait::sdk::text("cuBLASLt: ", cublasLtGetVersion(), "\n"); }

// d = alpha op(a) op(b) + beta d, all of f32, as cuBLAS counts: columns are contiguous.
class Product {
 public:
  // A matrix of `rows` x `columns` in memory, and whether it is read transposed.
  struct Matrix {
    uint64_t rows, columns;
    bool transposed = false;
  };
  enum class Then { kNothing, kAddBias, kAddBiasRelu, kRelu };  // bias: one number a row of d
  static constexpr uint64_t kMostWorkspace = 4 << 20;           // bytes

  // Threads: [setup only]. Keeps no handle: that of a call lives as long as the call's stream.
  Product(const Context& c, Matrix a, Matrix b, Then then = Then::kNothing)
      : then_(then), transposed_{a.transposed, b.transposed} {
    lay_out(a_, a.rows, a.columns), lay_out(b_, b.rows, b.columns);
    lay_out(d_, a.transposed ? a.columns : a.rows, b.transposed ? b.rows : b.columns);
    choose(c);
  }
  // Bytes, at any address: cuBLASLt wants a multiple of kAligned, the host promises 64.
  uint64_t workspace() const { return chosen_.workspaceSize > 0 ? chosen_.workspaceSize + kAligned - 64 : 0; }

  // Queues the product. beta: 0, or 1 to add to d.
  // Threads: [any]
  void run(const Context& c, const float* a, const float* b, float* d, void* workspace,
           const float* bias = nullptr, float beta = 0) const {
    const float one = 1;
    cublasLtMatmulDescOpaque_t operation;
    describe(operation, bias);
    const cudaStream_t stream = plait::sdk::gpu::stream(c);
    const auto from = (reinterpret_cast<uintptr_t>(workspace) + kAligned - 1) / kAligned * kAligned;
    workspace = chosen_.workspaceSize > 0 ? reinterpret_cast<void*>(from) : nullptr;
    check(cublasLtMatmul(cublas_lt(c), &operation, &one, a, a_.value, b, b_.value, &beta, d, d_.value, d,
                         d_.value, &chosen_.algo, workspace, chosen_.workspaceSize, stream),
          "a product");
  }

 private:
  template <class Handle, cublasStatus_t (*kDestroy)(Handle)>
  struct Owned {
    Handle value = nullptr;
    Owned() = default;
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    ~Owned() {
      if (value) kDestroy(value);
    }
  };
  using Layout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;

  static constexpr uintptr_t kAligned = 256;  // bytes

  template <class V>
  static void set(cublasLtMatmulDescOpaque_t& operation, cublasLtMatmulDescAttributes_t what, V value) {
    check(cublasLtMatmulDescSetAttribute(&operation, what, &value, sizeof value), "a product");
  }
  // On the caller's stack: a bias differs from call to call.
  void describe(cublasLtMatmulDescOpaque_t& operation, const float* bias) const {
    check(cublasLtMatmulDescInit(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F), "a product");
    set(operation, CUBLASLT_MATMUL_DESC_TRANSA, transposed_[0] ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(operation, CUBLASLT_MATMUL_DESC_TRANSB, transposed_[1] ? CUBLAS_OP_T : CUBLAS_OP_N);
    const cublasLtEpilogue_t epilogue = then_ == Then::kAddBias       ? CUBLASLT_EPILOGUE_BIAS
                                        : then_ == Then::kAddBiasRelu ? CUBLASLT_EPILOGUE_RELU_BIAS
                                        : then_ == Then::kRelu        ? CUBLASLT_EPILOGUE_RELU
                                                                      : CUBLASLT_EPILOGUE_DEFAULT;
    set(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
    if (bias) set(operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  }
  static void lay_out(Layout& layout, uint64_t rows, uint64_t columns) {
    check(cublasLtMatrixLayoutCreate(&layout.value, CUDA_R_32F, rows, columns, static_cast<int64_t>(rows)),
          "a matrix of a product");
  }
  template <class V>
  static void wish(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t what,
                   V value) {
    check(cublasLtMatmulPreferenceSetAttribute(preference, what, &value, sizeof value), "a product's wishes");
  }
  void choose(const Context& c) {
    Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> preference;
    check(cublasLtMatmulPreferenceCreate(&preference.value), "a product's wishes");
    wish(preference.value, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kMostWorkspace);
    constexpr uint32_t kNumbers = 16;  // bytes; the host promises 64
    wish(preference.value, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, kNumbers);
    wish(preference.value, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, kNumbers);
    wish(preference.value, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, kNumbers);
    wish(preference.value, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, kNumbers);
    cublasLtMatmulDescOpaque_t operation;
    describe(operation, nullptr);
    int found = 0;
    check(cublasLtMatmulAlgoGetHeuristic(cublas_lt(c), &operation, a_.value, b_.value, d_.value, d_.value,
                                         preference.value, 1, &chosen_, &found),
          "the algorithm of a product");
    if (found == 0) throw plait::sdk::Unsupported("cuBLASLt has no algorithm for a product");
  }

  Then then_;
  bool transposed_[2];
  Layout a_, b_, d_;
  cublasLtMatmulHeuristicResult_t chosen_{};
};

}  // namespace plait_cuda
