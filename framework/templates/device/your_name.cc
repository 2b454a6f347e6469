// A device: memory, streams and copies, and the types of plugins that run on it. This one is the host's own
// memory, worked on by plain loops; a real one calls its driver in the same places.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  char stream = 0;  // work is done at once, so that every stream is this one

  static void describe(Describe<YourName>& d) { d.doc("the host's memory and plain loops"); }
  DeviceInfo open(Context&) { return {.name = "your_name", .host_memory = true}; }

  void* allocate(Context&, uint64_t bytes) {
    if (bytes > UINT64_MAX / 2) throw std::bad_alloc();
    void* memory = std::aligned_alloc(64, std::max<uint64_t>((bytes + 63) / 64 * 64, 64));
    if (!memory) throw std::bad_alloc();
    return memory;
  }
  void release(void* memory) { std::free(memory); }
  void* stream_create(Context&) { return &stream; }
  void stream_destroy(void*) {}
  void copy_in(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void copy_out(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void copy(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void fill_zero(Context&, void* memory, uint64_t bytes) { std::memset(memory, 0, bytes); }
  void add_f32(Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(Context&) {}
};

// A layer for this device: a type of its own, y = w x + b over all numbers of a sample.
struct Linear {
  int64_t units = 1;

  static void describe(Describe<Linear>& d) {
    d.doc("y = w x + b");
    d.field("units", &Linear::units).doc("number of outputs").at_least(1);
  }
  void infer(LayerShapes& s) const {
    const int64_t batch = s.input().shape(0), inputs = static_cast<int64_t>(s.input().size()) / batch;
    s.output({batch, units});
    s.weight("weight", {units, inputs}).init("he_normal").fans(double(inputs), double(units));
    s.bias("bias", units);
  }
  void forward(Context&, const LayerCall& call) const {
    const float *w = call.parameter(0), *b = call.parameter(1);
    for (size_t n = 0; n < size_t(call.output().shape(0)); ++n) {
      const Out x = call.input().sample<float>(n), y = call.output().sample<float>(n);
      for (size_t j = 0; j < y.size(); ++j) {
        y[j] = b[j];
        for (size_t i = 0; i < x.size(); ++i) y[j] += w[j * x.size() + i] * x[i];
      }
    }
  }
  void backward(Context&, const LayerCall& call) const {
    const Tensor dx = call.input_gradient();
    const size_t inputs = call.input().size() / size_t(call.input().shape(0)), outputs = size_t(units);
    float *dw = call.parameter_gradient(0), *db = call.parameter_gradient(1);
    if (dw) std::fill_n(dw, outputs * inputs, 0.0f);
    if (db) std::fill_n(db, outputs, 0.0f);
    if (dx) std::fill_n(dx.f32().data(), dx.size(), 0.0f);
    for (size_t n = 0; n < size_t(call.output().shape(0)); ++n) {
      const Out x = call.input().sample<float>(n), dy = call.output_gradient().sample<float>(n);
      for (size_t j = 0; j < outputs; ++j) {
        if (db) db[j] += dy[j];
        for (size_t i = 0; dw && i < inputs; ++i) dw[j * inputs + i] += dy[j] * x[i];
        for (size_t i = 0; dx && i < inputs; ++i)
          dx.sample<float>(n)[i] += dy[j] * call.parameter(0)[j * inputs + i];
      }
    }
  }
};

// A loss for this device, of a type of its own: softmax and cross entropy against class numbers.
struct Classes {
  static void describe(Describe<Classes>& d) { d.doc("-log softmax(prediction)[target]"); }
  void check(const LossShapes& s) const {
    if (s.target().dtype() != DType::i32 || s.target().rank() != 1)
      s.fail("target is ", s.target(), ", wanted i32[N]");
  }
  void compute(Context&, const LossCall& call) const {
    const auto labels = call.target().data<int32_t>();
    double sum = 0;
    for (size_t n = 0; n < labels.size(); ++n) {
      const Out s = call.prediction().sample<float>(n);
      const auto right = size_t(labels[n]);
      if (right >= s.size()) {
        call.bad_target(int64_t(n));
        continue;
      }
      const float top = *std::max_element(s.begin(), s.end());
      double all = 0;
      for (const float score : s) all += std::exp(double(score - top));
      sum += std::log(all) - double(s[right] - top);
      const double factor = call.gradient_scale() / double(labels.size());
      for (size_t j = 0; call.gradient() && j < s.size(); ++j)
        call.gradient().sample<float>(n)[j] =
            float(factor * (std::exp(double(s[j] - top)) / all - (j == right)));
    }
    call.set_result(sum, double(labels.size()));
  }
};

// An optimizer for this device, of a type of its own.
struct Descent {
  double rate = 0.01;
  static constexpr bool elementwise = true;
  static void describe(Describe<Descent>& d) {
    d.doc("w -= rate * g");
    d.field("rate", &Descent::rate).doc("size of a step").range(0, 1e6).runtime();
  }
  void step(Context&, const OptimizerCall& call) const {
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= float(rate) * call.gradients[i];
  }
};

}  // namespace your_vendor

// implementation<T>("vendor.type", "device") runs a type that another plugin describes on this device.
constexpr const char* kDevice = "your_vendor.your_name";
Entry on_device(Entry entry) {
  entry.implementation.device_id = kDevice;
  return entry;
}

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0", device<your_vendor::YourName>(kDevice),
             on_device(layer<your_vendor::Linear>("your_vendor.your_name_linear")),
             on_device(loss<your_vendor::Classes>("your_vendor.your_name_classes")),
             on_device(optimizer<your_vendor::Descent>("your_vendor.your_name_descent")));
