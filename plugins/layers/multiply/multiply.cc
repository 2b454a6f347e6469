// Product of inputs of one shape, or of one with a factor for each channel.
#include <plait/onednn_joining.hpp>
#include <plait/sdk.hpp>
#include <plait/sdk/fast.hpp>

#include <algorithm>
#include <optional>

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_FAST void product(const float* a, const float* b, float* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = a[i] * b[i];
}
PLAIT_FAST void add_product(const float* a, const float* b, float* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] += a[i] * b[i];
}
PLAIT_FAST void add_in_f64(const float* a, const float* b, double* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] += static_cast<double>(a[i]) * b[i];
}

bool is_alike(Spec a, Spec b) {
  return a.dtype() == b.dtype() && std::ranges::equal(a.shape(), b.shape()) &&
         a.variable_axis() == b.variable_axis() && a.second_axis() == b.second_axis();
}
// b [N, C] beside a [N, ..., C]
bool is_factor(Spec a, Spec b) {
  return b.dtype() == DType::f32 && b.rank() == 2 && a.rank() > 2 && a.shape(0) == b.shape(0) &&
         a.shape(-1) == b.shape(-1) && !a.varies(a.rank() - 1) && b.variable_axis() < 0;
}

struct Multiply {
  static constexpr bool two_axes = true;  // past the extents dy is 0, also for a factor of a channel
  static constexpr uint32_t min_inputs = 2, max_inputs = kAnyInputs;
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Multiply>& d) {
    d.doc("product of the inputs");
    d.details(
        "Shapes: all inputs and y alike, f32; or two inputs, x [N, ..., C] and a factor [N, C] for each\n"
        "channel of each sample (a gate, as in squeeze and excitation), y as x.\n"
        "dx[i] = dy times the other inputs.");
    describe_implementation(d, &Multiply::implementation, "whose loops multiply; auto: own");
  }
  static void ports(Ports& p) {
    p.input("x", "all alike, or [N, C] beside [N, ..., C]").doc("a factor").repeated();
    p.output("y", "as the first x").doc("the product");
  }

  void infer(LayerShapes& s) const {
    const Spec first = s.input(0);
    if (first.dtype() != DType::f32) s.fail("input 0 is ", first, ", wanted f32");
    const bool by_channel = s.inputs() == 2 && is_factor(first, s.input(1));
    for (size_t i = 1; i < s.inputs() && !by_channel; ++i)
      if (!is_alike(first, s.input(i)))
        s.fail("input ", i, " is ", s.input(i), ", wanted ", first, " like input 0, or of two inputs [N, C]");
    s.output_like(0);
  }

  struct Kernel;
};

struct Multiply::Kernel {
  size_t batch, rows, channels;  // rows of a sample; by channel alone
  bool by_channel;
  std::optional<OneDnnJoining> onednn;  // the forward pass

  Kernel(const Multiply& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : batch(static_cast<size_t>(r.input().rank() > 0 ? r.input().shape(0) : 1)),
        channels(static_cast<size_t>(r.input().rank() > 0 ? r.input().shape(-1) : 1)),
        by_channel(r.input(1).rank() < r.input(0).rank()) {
    rows = r.input().size() / std::max<size_t>(batch * channels, 1);
    n.backward_reads(Reads::inputs);
    n.accumulates();
    const KernelNotes notes(c);
    if (config.implementation == Implementation::kAuto) notes.chose("implementation", "own");
    if (config.implementation == Implementation::kOneDnn && r.input().size() > 0) {
      const auto whole = static_cast<int64_t>(r.input().size());
      const auto n_batch = static_cast<int64_t>(batch), n_rows = static_cast<int64_t>(rows),
                 n_channels = static_cast<int64_t>(channels);
      onednn.emplace(by_channel
                         ? OneDnnJoining::product({n_batch, n_rows, n_channels}, {n_batch, 1, n_channels})
                         : OneDnnJoining::product({whole}, {whole}));
      onednn->note(notes);
    }
    const size_t scratch = onednn ? onednn->scratchpad_bytes() : 0;
    n.workspace(std::max(scratch, by_channel ? batch * channels * sizeof(double) : 0));
  }

  void forward(Context& c, const LayerCall& call) const {
    const float *a = call.input(0).f32().data(), *b = call.input(1).f32().data();
    float* y = call.output().f32().data();
    if (onednn) {
      onednn->forward(call, a, b, y);
      for (size_t i = 2; i < call.inputs(); ++i) onednn->forward(call, y, call.input(i).f32().data(), y);
      return;
    }
    if (by_channel) return each_row(c, [&](size_t x, size_t f) { product(a + x, b + f, y + x, channels); });
    c.parallel_for(call.output().size(), [&](size_t begin, size_t end) {
      product(a + begin, b + begin, y + begin, end - begin);
      for (size_t i = 2; i < call.inputs(); ++i)
        product(y + begin, call.input(i).f32().data() + begin, y + begin, end - begin);
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (by_channel) return backward_by_channel(c, call);
    c.parallel_for(call.output_gradient().size(), kPiece, [&](size_t begin, size_t end) {
      for (size_t at = begin; at < end; at += kPiece)
        for (size_t i = 0; i < call.inputs(); ++i)
          if (call.input_gradient(i)) others(call, i, at, std::min(kPiece, end - at));
    });
  }

 private:
  static constexpr size_t kPiece = 1024;

  // body(place in x, place in the factors) of every row of channels
  template <class Body>
  void each_row(Context& c, const Body& body) const {
    c.parallel_for(batch * rows, 1 + Context::kDefaultGrain / (channels + 1),
                   [&](size_t r) { body(r * channels, r / rows * channels); });
  }

  // dx[i] = dy times the other inputs, in their order
  static void others(const LayerCall& call, size_t i, size_t at, size_t count) {
    float of_others[kPiece];
    const float* so_far = call.output_gradient().f32().data() + at;
    float* dx = call.input_gradient(i).f32().data() + at;
    const size_t last = i + 1 == call.inputs() ? i - 1 : call.inputs() - 1;
    for (size_t j = 0; j < last; ++j) {
      if (j == i) continue;
      product(so_far, call.input(j).f32().data() + at, of_others, count);
      so_far = of_others;
    }
    const float* x = call.input(last).f32().data() + at;
    call.accumulate(i) ? add_product(so_far, x, dx, count) : product(so_far, x, dx, count);
  }

  void backward_by_channel(Context& c, const LayerCall& call) const {
    const float *x = call.input(0).f32().data(), *f = call.input(1).f32().data();
    const float* dy = call.output_gradient().f32().data();
    if (call.input_gradient(0)) {
      float* dx = call.input_gradient(0).f32().data();
      each_row(c, [&](size_t at, size_t factor) {
        call.accumulate(0) ? add_product(dy + at, f + factor, dx + at, channels)
                           : product(dy + at, f + factor, dx + at, channels);
      });
    }
    if (!call.input_gradient(1)) return;
    float* df = call.input_gradient(1).f32().data();
    c.parallel_for(batch, 1 + Context::kDefaultGrain / (rows * channels + 1), [&](size_t n) {
      double* sums = call.workspace<double>() + n * channels;
      std::fill_n(sums, channels, 0.0);
      for (size_t r = 0; r < rows; ++r) {
        const size_t at = (n * rows + r) * channels;
        add_in_f64(dy + at, x + at, sums, channels);
      }
      for (size_t k = 0; k < channels; ++k) {
        float& to = df[n * channels + k];
        to = static_cast<float>(call.accumulate(1) ? to + sums[k] : sums[k]);
      }
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.multiply", "1.0.0", "Apache-2.0", layer<layers::Multiply>("plait.multiply"),
             numerics(&onednn_facts));
