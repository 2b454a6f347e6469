// Plain kernels: a thread computes one number, with a loop in a fixed order. They are right, and a place to
// begin from; libraries of the vendor, such as cuBLAS and cuDNN, are faster.
#include "kernels.h"

#include <plait/cuda.hpp>

using namespace plait::sdk;

namespace your_vendor {
namespace {

// ------------------------------------------------------------------------------------------------ dense

// The function that the host lets a dense layer absorb: y = f(x), with its slope by y.
struct Function {
  enum Kind { kNone, kRelu, kTanh, kSigmoid, kLinear } kind = kNone;
  float alpha = 0, beta = 0;

  static Function of(const LayerRequest& r) {
    if (r.epilogues() == 0) return {};
    const Epilogue e = r.epilogue();
    const Kind kind = e.name == "relu"      ? kRelu
                      : e.name == "tanh"    ? kTanh
                      : e.name == "sigmoid" ? kSigmoid
                      : e.name == "linear"  ? kLinear
                                            : kNone;
    if (kind == kNone) throw Unsupported(kDevice, " cannot absorb ", e.name);
    return {kind, static_cast<float>(e.alpha), static_cast<float>(e.beta)};
  }
  __device__ float apply(float x) const {
    switch (kind) {
      case kRelu:
        return x > 0 ? x : alpha * x;
      case kTanh:
        return tanhf(x);
      case kSigmoid:
        return 1 / (1 + expf(-x));
      case kLinear:
        return alpha * x + beta;
      default:
        return x;
    }
  }
  __device__ float slope(float y) const {
    switch (kind) {
      case kRelu:
        return y > 0 ? 1 : alpha;
      case kTanh:
        return 1 - y * y;
      case kSigmoid:
        return y * (1 - y);
      case kLinear:
        return alpha;
      default:
        return 1;
    }
  }
};

struct Sizes {
  uint64_t batch, inputs, units;
};

// y[n, u] = f(b[u] + sum over i of x[n, i] w[u, i])
__global__ void dense_y(uint64_t count, Sizes s, Function f, const float* x, const float* w, const float* b,
                        float* y) {
  const uint64_t k = gpu::index();
  if (k >= count) return;
  const uint64_t n = k / s.units, u = k % s.units;
  float sum = b ? b[u] : 0;
  for (uint64_t i = 0; i < s.inputs; ++i) sum += x[n * s.inputs + i] * w[u * s.inputs + i];
  y[k] = f.apply(sum);
}

// dx[n, i] = sum over u of f'(y[n, u]) dy[n, u] w[u, i]
__global__ void dense_dx(uint64_t count, Sizes s, Function f, const float* w, const float* y, const float* dy,
                         float* dx) {
  const uint64_t k = gpu::index();
  if (k >= count) return;
  const uint64_t n = k / s.inputs, i = k % s.inputs;
  float sum = 0;
  for (uint64_t u = 0; u < s.units; ++u)
    sum += f.slope(y[n * s.units + u]) * dy[n * s.units + u] * w[u * s.inputs + i];
  dx[k] = sum;
}

// dw[u, i] = sum over n of f'(y[n, u]) dy[n, u] x[n, i]; without x, the same for a bias, inputs being 1
__global__ void dense_dw(uint64_t count, Sizes s, Function f, const float* x, const float* y, const float* dy,
                         float* dw) {
  const uint64_t k = gpu::index();
  if (k >= count) return;
  const uint64_t u = k / s.inputs, i = k % s.inputs;
  float sum = 0;
  for (uint64_t n = 0; n < s.batch; ++n)
    sum += f.slope(y[n * s.units + u]) * dy[n * s.units + u] * (x ? x[n * s.inputs + i] : 1);
  dw[k] = sum;
}

struct Dense {
  int64_t units = 1;
  bool bias = true;

  static void describe(Describe<Dense>& d) {
    d.field("units", &Dense::units);
    d.field("bias", &Dense::bias);
  }

  struct Kernel {
    Sizes s;
    bool bias;
    Function f;

    Kernel(const Dense& config, Context&, const LayerRequest& r, LayerNeeds& n)
        : bias(config.bias), f(Function::of(r)) {
      s.batch = static_cast<uint64_t>(r.input().shape(0));
      s.inputs = s.batch > 0 ? r.input().size() / s.batch : 0;
      s.units = static_cast<uint64_t>(config.units);
      n.backward_reads(f.kind == Function::kNone ? Reads::inputs : Reads::both);
    }
    void forward(Context& c, const LayerCall& call) const {
      gpu::each(c, s.batch * s.units, dense_y, s, f, call.input().f32().data(), call.parameter(0),
                bias ? call.parameter(1) : nullptr, call.output().f32().data());
    }
    void backward(Context& c, const LayerCall& call) const {
      const float *x = call.input().f32().data(), *y = call.output().f32().data();
      const float* dy = call.output_gradient().f32().data();
      if (float* dw = call.parameter_gradient(0))
        gpu::each(c, s.units * s.inputs, dense_dw, s, f, x, y, dy, dw);
      if (float* db = bias ? call.parameter_gradient(1) : nullptr)
        gpu::each(c, s.units, dense_dw, Sizes{s.batch, 1, s.units}, f, nullptr, y, dy, db);
      if (const Tensor dx = call.input_gradient())
        gpu::each(c, s.batch * s.inputs, dense_dx, s, f, call.parameter(0), y, dy, dx.f32().data());
    }
  };
};

// ------------------------------------------------------------------------------------------------ relu,
// flatten

__global__ void relu_y(uint64_t count, float slope, const float* x, float* y) {
  const uint64_t i = gpu::index();
  if (i < count) y[i] = x[i] > 0 ? x[i] : slope * x[i];
}

__global__ void relu_dx(uint64_t count, float slope, const float* y, const float* dy, float* dx) {
  const uint64_t i = gpu::index();
  if (i < count) dx[i] = y[i] > 0 ? dy[i] : slope * dy[i];
}

struct Relu {
  double slope = 0;

  static void describe(Describe<Relu>& d) { d.field("slope", &Relu::slope); }
  void forward(Context& c, In x, Out y) const { gpu::each(c, x.size(), relu_y, slope, x.data(), y.data()); }
  void backward_from_output(Context& c, In y, In dy, Out dx) const {
    gpu::each(c, y.size(), relu_dx, slope, y.data(), dy.data(), dx.data());
  }
};

struct Flatten {
  static void describe(Describe<Flatten>&) {}
  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }
  void forward(Context& c, const LayerCall& call) const { copy(c, call.input(), call.output()); }
  void backward(Context& c, const LayerCall& call) const {
    if (call.input_gradient()) copy(c, call.output_gradient(), call.input_gradient());
  }

 private:
  static void copy(Context& c, Tensor from, Tensor to) {
    if (from.raw() == to.raw()) return;  // the host gave both the same memory
    gpu::check(cudaMemcpyAsync(to.raw(), from.raw(), from.bytes(), cudaMemcpyDeviceToDevice, gpu::stream(c)),
               "flatten");
  }
};

// ------------------------------------------------------------------------------------------------ loss

struct Losses {
  const float* scores;  // [rows, classes]
  const void* labels;   // [rows]
  DType labels_type;
  float* gradient;      // [rows, classes], or null
  double* result;       // sum of the rows' losses, number of rows
  int32_t* bad_target;  // -1, or the first sample with a label that is no class
  int rows, classes, rows_per_sample;
  double scale;
};

constexpr double kBadLabel = -1;  // no loss is below 0 by more than its rounding

__device__ int64_t label_of(const Losses& w, int row) {
  switch (w.labels_type) {
    case DType::u8:
      return static_cast<const uint8_t*>(w.labels)[row];
    case DType::i32:
      return static_cast<const int32_t*>(w.labels)[row];
    case DType::i64:
      return static_cast<const int64_t*>(w.labels)[row];
    default:
      return static_cast<int64_t>(static_cast<const float*>(w.labels)[row]);
  }
}

// The loss of a row, whose gradient it writes; kBadLabel where the label is no class.
__device__ double row_loss(const Losses& w, int row) {
  const float* s = w.scores + int64_t{row} * w.classes;
  float* gradient = w.gradient ? w.gradient + int64_t{row} * w.classes : nullptr;
  const int64_t label = label_of(w, row);
  const bool good = label >= 0 && label < w.classes;
  double largest = s[0], sum = 0;
  for (int i = 1; i < w.classes; ++i) largest = s[i] > largest ? s[i] : largest;
  for (int i = 0; i < w.classes; ++i) sum += exp(s[i] - largest);
  for (int i = 0; gradient && i < w.classes; ++i) {
    const double p = exp(s[i] - largest) / sum - (i == label ? 1 : 0);
    gradient[i] = good ? static_cast<float>(p * w.scale) : 0;
  }
  return good ? log(sum) + largest - s[label] : kBadLabel;
}

// One block, whose threads sum in an order that is always the same.
__global__ void loss_sum(Losses w) {
  __shared__ double sums[gpu::kThreads];
  __shared__ int bad[gpu::kThreads];
  double sum = 0;
  int first_bad = w.rows;
  for (int row = static_cast<int>(threadIdx.x); row < w.rows; row += static_cast<int>(blockDim.x)) {
    const double loss = row_loss(w, row);
    if (loss == kBadLabel && row < first_bad) first_bad = row;
    if (loss != kBadLabel) sum += loss;  // NaN too
  }
  sums[threadIdx.x] = sum, bad[threadIdx.x] = first_bad;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (unsigned t = 1; t < blockDim.x; ++t) {
    sum += sums[t];
    if (bad[t] < first_bad) first_bad = bad[t];
  }
  w.result[0] = sum, w.result[1] = w.rows;
  if (w.bad_target) *w.bad_target = first_bad < w.rows ? first_bad / w.rows_per_sample : -1;
}

struct CrossEntropy {
  static void describe(Describe<CrossEntropy>&) {}

  struct Kernel {
    Kernel(const CrossEntropy&, Context&, LossRequest& r) {
      if (r.has_weights()) throw Unsupported(kDevice, " has no weights of samples");
      if (r.target().rank() == r.prediction().rank() && r.prediction().shape(-1) > 1 &&
          r.target().size() == r.prediction().size())
        throw Unsupported(kDevice, " wants class numbers, got ", r.target());
      if (r.prediction().variable_axis() >= 0)
        throw Unsupported(kDevice, " wants fixed extents, got ", r.prediction(), " of which axis ",
                          r.prediction().variable_axis(), " varies");
    }
    void compute(Context& c, const LossCall& call) const {
      const Tensor x = call.prediction(), dx = call.gradient(), labels = call.target();
      const auto rows = static_cast<int>(labels.size());
      const Losses work{.scores = x.f32().data(),
                        .labels = labels.raw(),
                        .labels_type = labels.dtype(),
                        .gradient = dx ? dx.f32().data() : nullptr,
                        .result = call.c()->result,
                        .bad_target = call.c()->bad_target,
                        .rows = rows,
                        .classes = static_cast<int>(x.shape(-1)),
                        .rows_per_sample = rows / static_cast<int>(x.shape(0)),
                        .scale = call.gradient_scale() / rows};
      gpu::launch(c, 1, gpu::kThreads, loss_sum, work);
    }
  };
};

// ------------------------------------------------------------------------------------------------ optimizer

struct Step {
  float rate, momentum, decay;
  bool nesterov;
};

// d = g + decay w, v = momentum v + d; w -= rate v, or rate (d + momentum v) with nesterov. v may be null.
__global__ void sgd_step(uint64_t count, Step s, const float* g, float* v, float* w) {
  const uint64_t i = gpu::index();
  if (i >= count) return;
  float d = g[i] + s.decay * w[i];
  if (v) {
    v[i] = s.momentum * v[i] + d;
    d = s.nesterov ? d + s.momentum * v[i] : v[i];
  }
  w[i] -= s.rate * d;
}

struct Sgd {
  double rate = 0.01, momentum = 0, weight_decay = 0;
  bool nesterov = false;

  // The runtime fields are all here, in the type's order.
  static void describe(Describe<Sgd>& d) {
    d.field("rate", &Sgd::rate).runtime();
    d.field("momentum", &Sgd::momentum).runtime();
    d.field("weight_decay", &Sgd::weight_decay).runtime();
    d.field("nesterov", &Sgd::nesterov);
  }
  void open(Context&) { has_velocity_ = momentum > 0; }
  void step(Context& c, const OptimizerCall& call) const {
    const Step s{static_cast<float>(rate), static_cast<float>(momentum),
                 static_cast<float>(call.decay() ? weight_decay : 0), nesterov};
    gpu::each(c, call.count, sgd_step, s, call.gradients.data(),
              has_velocity_ ? call.slot(0).data() : nullptr, call.weights.data());
  }

 private:
  bool has_velocity_ = false;  // by the momentum in the file, not by what a schedule makes of it
};

}  // namespace

Entry dense() { return implementation<Dense>("plait.dense", kDevice); }
Entry relu() { return implementation<Relu>("plait.relu", kDevice); }
Entry flatten() { return implementation<Flatten>("plait.flatten", kDevice); }
Entry softmax_cross_entropy() { return implementation<CrossEntropy>("plait.softmax_cross_entropy", kDevice); }
Entry sgd() { return implementation<Sgd>("plait.sgd", kDevice); }

}  // namespace your_vendor
