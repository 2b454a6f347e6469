// Convolution by cuDNN: f32 throughout, channels-last, deterministic algorithms alone.
//
// The algorithm follows from shape, card and cuDNN's version by cuDNN's own estimates, which look at no
// clock; what is not deterministic or wants more than kMostWorkspace is passed over. Weights, and
// their gradient, are [filters, taps, channels / groups].
//
// Fails with: cuDNN's text and what was done. Threads: setup [setup only]; work [any], one stream at a time.
#pragma once
#include <plait_cuda/cudnn.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "shape.hpp"

namespace convolution {

using plait::sdk::Context;
using plait_cuda::check;

// Made by kCreate, ended by kDestroy.
template <class Handle, cudnnStatus_t (*kCreate)(Handle*), cudnnStatus_t (*kDestroy)(Handle)>
class CudnnDescriptor {
 public:
  CudnnDescriptor() { check(kCreate(&value_), "a description for cuDNN"); }
  ~CudnnDescriptor() { kDestroy(value_); }
  CudnnDescriptor(const CudnnDescriptor&) = delete;
  CudnnDescriptor& operator=(const CudnnDescriptor&) = delete;
  Handle get() const { return value_; }

 private:
  Handle value_ = nullptr;
};

class CudnnConvolution {
 public:
  static constexpr size_t kMostWorkspace = size_t{256} << 20;  // bytes

  // Asks for algorithms of what is wanted alone.
  CudnnConvolution(const Context& c, const ConvolutionShape& shape, bool wants_forward, bool wants_dx,
                   bool wants_dw)
      : shape_(shape) {
    describe();
    const cudnnHandle_t handle = plait_cuda::cudnn(c);
    if (wants_forward) find_forward(handle);
    if (wants_dx && shape.training && shape.need_dx) find_input_gradient(handle);
    if (wants_dw && shape.training && shape.need_dw) find_weight_gradient(handle);
  }

  // Whether cuDNN has a deterministic algorithm for them.
  bool has_forward() const { return forward_.has_value(); }
  bool has_input_gradient() const { return input_gradient_.has_value(); }
  bool has_weight_gradient() const { return weight_gradient_.has_value(); }
  size_t workspace_bytes() const { return workspace_; }

  // y, without bias and activation.
  void forward(const Context& c, const float* x, const float* w, float* y, void* workspace) const {
    const float one = 1, zero = 0;
    check(cudnnConvolutionForward(plait_cuda::cudnn(c), &one, x_.get(), x, w_.get(), w, convolution_.get(),
                                  *forward_, workspace, workspace_, &zero, y_.get(), y),
          "a convolution");
  }
  // dx, added to where `accumulate`.
  void input_gradient(const Context& c, const float* w, const float* dy, float* dx, bool accumulate,
                      void* workspace) const {
    const float one = 1, before = accumulate ? 1.0f : 0.0f;
    check(cudnnConvolutionBackwardData(plait_cuda::cudnn(c), &one, w_.get(), w, y_.get(), dy,
                                       convolution_.get(), *input_gradient_, workspace, workspace_, &before,
                                       x_.get(), dx),
          "the input gradient of a convolution");
  }
  void weight_gradient(const Context& c, const float* x, const float* dy, float* dw, void* workspace) const {
    const float one = 1, zero = 0;
    check(cudnnConvolutionBackwardFilter(plait_cuda::cudnn(c), &one, x_.get(), x, y_.get(), dy,
                                         convolution_.get(), *weight_gradient_, workspace, workspace_, &zero,
                                         w_.get(), dw),
          "the weights' gradient of a convolution");
  }

 private:
  using Tensor =
      CudnnDescriptor<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
  using Filter =
      CudnnDescriptor<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
  using Operation = CudnnDescriptor<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor,
                                    cudnnDestroyConvolutionDescriptor>;
  using Extents = plait::sdk::Window::Extents;

  static int narrow(int64_t value) {
    if (value > std::numeric_limits<int>::max())
      throw plait::sdk::Unsupported("cuDNN counts to 2^31: got ", value);
    return static_cast<int>(value);
  }
  // cuDNN knows two and three spatial axes; one axis is two, of which the first is 1.
  int first_axis() const { return shape_.window.axes == 3 ? 0 : 1; }
  std::vector<int> spatial(const Extents& extents) const {
    std::vector<int> result;
    for (int a = first_axis(); a < 3; ++a) result.push_back(narrow(extents[static_cast<size_t>(a)]));
    return result;
  }
  // In cuDNN's order, which names channels before space whatever the layout is.
  std::vector<int> extents(size_t first, size_t channels, const Extents& space) const {
    std::vector<int> result{narrow(plait::sdk::Checked(first)), narrow(plait::sdk::Checked(channels))};
    const std::vector<int> rest = spatial(space);
    result.insert(result.end(), rest.begin(), rest.end());
    return result;
  }
  void describe(const Tensor& tensor, size_t channels, const Extents& space) const {
    const std::vector<int> all = extents(shape_.batch, channels, space);
    check(cudnnSetTensorNdDescriptorEx(tensor.get(), CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT,
                                       static_cast<int>(all.size()), all.data()),
          "the extents of a convolution");
  }
  void describe() {
    const plait::sdk::Window& window = shape_.window;
    describe(x_, shape_.channels, window.input);
    describe(y_, shape_.filters, window.output);
    const std::vector<int> kernel = extents(shape_.filters, shape_.channels / shape_.groups, window.kernel);
    check(cudnnSetFilterNdDescriptor(w_.get(), CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC,
                                     static_cast<int>(kernel.size()), kernel.data()),
          "the kernel of a convolution");
    const std::vector<int> padding = spatial(window.padding), stride = spatial(window.stride),
                           dilation = spatial(window.dilation);
    check(cudnnSetConvolutionNdDescriptor(convolution_.get(), static_cast<int>(padding.size()),
                                          padding.data(), stride.data(), dilation.data(),
                                          CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
          "the strides of a convolution");
    check(cudnnSetConvolutionGroupCount(convolution_.get(), narrow(plait::sdk::Checked(shape_.groups))),
          "the groups of a convolution");
    check(cudnnSetConvolutionMathType(convolution_.get(), CUDNN_FMA_MATH), "the arithmetic of a convolution");
  }

  // The best of what cuDNN estimates that is deterministic and small enough, and has its workspace told.
  template <class Found, class Bytes>
  auto best(const std::vector<Found>& found, const Bytes& bytes_of) -> std::optional<decltype(Found::algo)> {
    for (const Found& f : found) {
      if (f.status != CUDNN_STATUS_SUCCESS || f.determinism != CUDNN_DETERMINISTIC) continue;
      if (f.mathType != CUDNN_FMA_MATH && f.mathType != CUDNN_DEFAULT_MATH) continue;
      size_t bytes = 0;
      if (bytes_of(f.algo, &bytes) != CUDNN_STATUS_SUCCESS || bytes > kMostWorkspace) continue;
      workspace_ = std::max(workspace_, bytes);
      return f.algo;
    }
    return std::nullopt;
  }
  void find_forward(cudnnHandle_t handle) {
    std::vector<cudnnConvolutionFwdAlgoPerf_t> found(CUDNN_CONVOLUTION_FWD_ALGO_COUNT);
    int count = 0;
    if (cudnnGetConvolutionForwardAlgorithm_v7(handle, x_.get(), w_.get(), convolution_.get(), y_.get(),
                                               CUDNN_CONVOLUTION_FWD_ALGO_COUNT, &count,
                                               found.data()) != CUDNN_STATUS_SUCCESS)
      count = 0;
    found.resize(static_cast<size_t>(count));
    forward_ = best(found, [&](cudnnConvolutionFwdAlgo_t algorithm, size_t* bytes) {
      return cudnnGetConvolutionForwardWorkspaceSize(handle, x_.get(), w_.get(), convolution_.get(), y_.get(),
                                                     algorithm, bytes);
    });
  }
  void find_input_gradient(cudnnHandle_t handle) {
    std::vector<cudnnConvolutionBwdDataAlgoPerf_t> found(CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT);
    int count = 0;
    if (cudnnGetConvolutionBackwardDataAlgorithm_v7(handle, w_.get(), y_.get(), convolution_.get(), x_.get(),
                                                    CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT, &count,
                                                    found.data()) != CUDNN_STATUS_SUCCESS)
      count = 0;
    found.resize(static_cast<size_t>(count));
    input_gradient_ = best(found, [&](cudnnConvolutionBwdDataAlgo_t algorithm, size_t* bytes) {
      return cudnnGetConvolutionBackwardDataWorkspaceSize(handle, w_.get(), y_.get(), convolution_.get(),
                                                          x_.get(), algorithm, bytes);
    });
  }
  void find_weight_gradient(cudnnHandle_t handle) {
    std::vector<cudnnConvolutionBwdFilterAlgoPerf_t> found(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT);
    int count = 0;
    if (cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle, x_.get(), y_.get(), convolution_.get(),
                                                      w_.get(), CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT,
                                                      &count, found.data()) != CUDNN_STATUS_SUCCESS)
      count = 0;
    found.resize(static_cast<size_t>(count));
    weight_gradient_ = best(found, [&](cudnnConvolutionBwdFilterAlgo_t algorithm, size_t* bytes) {
      return cudnnGetConvolutionBackwardFilterWorkspaceSize(handle, x_.get(), y_.get(), convolution_.get(),
                                                            w_.get(), algorithm, bytes);
    });
  }

  ConvolutionShape shape_;
  Tensor x_, y_;
  Filter w_;
  Operation convolution_;
  std::optional<cudnnConvolutionFwdAlgo_t> forward_;
  std::optional<cudnnConvolutionBwdDataAlgo_t> input_gradient_;
  std::optional<cudnnConvolutionBwdFilterAlgo_t> weight_gradient_;
  size_t workspace_ = 0;
};

}  // namespace convolution
