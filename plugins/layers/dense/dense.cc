// Every output sees every input: y = f(x w + b).
#include <plait/bf16.hpp>
#include <plait/initializers.hpp>
#include <plait/kernel_notes.hpp>
#include <plait/onednn.hpp>

#include <algorithm>
#include <optional>

#include "matrix_product.hpp"
#include "onednn.hpp"
#include "quantized.hpp"

namespace {

using namespace plait::sdk;

struct Dense {
  int64_t units = 0;
  bool bias = true;
  std::string weight_init = kDefaultInitializer;
  std::string implementation = "auto";

  static void describe(Describe<Dense>& d) {
    d.doc("fully connected layer: y = x w + b");
    d.details(
        "Shapes: x [N, ...] f32 or bf16, read as [N, inputs] in channels-last order; y [N, units], of x's "
        "type.\n"
        "Parameters: weight [units, inputs], bias [units].");
    d.field("units", &Dense::units).doc("number of outputs").range(1, kMostChannels).required();
    d.field("bias", &Dense::bias).doc("whether to add a bias");
    d.field("weight_init", &Dense::weight_init).doc(kInitializerDoc).choices(kInitializers);
    d.field("implementation", &Dense::implementation)
        .doc(
            "whose loops compute the products; auto: the ones that a table of measurements names for the "
            "shape")
        .choices(kImplementations);
  }
  static void examples(Examples& e) {  // beside those that are drawn: wide enough for bf16
    e.add("units: 256").input(DType::f32, {3, 8, 16});
    e.add("units: 64 bias: false").input(DType::f32, {5, 512});
  }
  static void ports(Ports& p) {
    p.input("x", "[N, ...]").doc("read as [N, inputs], in channels-last order");
    p.output("y", "[N, units]");
    p.parameter("weight", "[units, inputs]");
    p.parameter("bias", "[units]").doc("where there is one");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (!is_f32_or_bf16(x.dtype()) || x.rank() < 2) s.fail("input is ", x, ", wanted f32 [N, ...]");
    if (x.variable_axis() >= 0)
      s.fail("axis ", x.variable_axis(), " of the input varies, wanted fixed extents");
    const auto batch = x.shape(0);
    const auto inputs = static_cast<int64_t>(x.size()) / std::max<int64_t>(batch, 1);
    if (x.dtype() == DType::bf16 && !computes_bf16(inputs))
      s.fail("input is ", x, ", and so few weights, or own loops, are computed in f32");
    s.output({batch, units});
    const auto fan_in = static_cast<double>(inputs), fan_out = static_cast<double>(units);
    initialize_weight(s.weight("weight", {units, inputs}), weight_init, fan_in, fan_out);
    if (bias) initialize_bias(s.bias("bias", units), weight_init, fan_in, fan_out);
    s.multiply_adds(static_cast<double>(x.size()) * static_cast<double>(units));
    for (const char* name : Activation::kNames) s.accepts_epilogue(name);
    s.mirror(Block("plait.dense").set("units", inputs));
  }

  // README.md has the measurements. Without the batch, as above.
  bool computes_bf16(int64_t inputs) const {
    constexpr size_t kLeast = 32768;  // weights
    return implementation != "own" && size_t{Checked(inputs) * units} >= kLeast && onednn_has_bf16();
  }

  struct Kernel;
  DenseShape shape(const LayerRequest& r) const {
    const auto batch = static_cast<size_t>(r.input().shape(0));
    return {.batch = batch,
            .inputs = r.input().size() / std::max<size_t>(batch, 1),
            .units = static_cast<size_t>(units),
            .has_bias = bias,
            .need_dx = r.input_gradient_needed(),
            .training = r.training(),
            .bf16 = r.input().dtype() == DType::bf16,
            .activation = {}};
  }
};

// README.md has the measurements. Without the batch, so that a record's prediction does not depend on how
// many come with it.
bool onednn_wins(const DenseShape& s) { return size_t{Checked(s.inputs) * s.units} >= 100'000; }

// As above. Where the own loops compute in f32 8-bit integers win from fewer weights on.
bool int8_wins(const DenseShape& s) { return size_t{Checked(s.inputs) * s.units} >= 40'000; }

// Weights are stored as [inputs, units]: forward and the weights' gradient then run along rows.
struct Dense::Kernel : DenseShape {
  std::optional<DenseOneDnn> onednn;
  std::optional<QuantizedDense> quantized;

  Kernel(const Dense& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : DenseShape(config.shape(r)) {
    if (r.epilogues() > 0) {
      const Epilogue e = r.epilogue();
      if (!activation.set(e.name, e.alpha, e.beta)) throw Error("cannot absorb ", e.name);
    }
    n.backward_reads(activates() ? Reads::both : Reads::inputs);
    const bool is_open = config.implementation == "auto";
    const bool takes_onednn = is_open ? bf16 || onednn_wins(*this) : config.implementation == "onednn";
    const KernelNotes notes(c);
    if (is_open) notes.chose("implementation", takes_onednn ? "onednn" : "own");
    if (!bf16 && (takes_onednn || int8_wins(*this))) n.takes_int8();
    if (const auto range = r.int8_range()) {
      quantized.emplace(*this, *range);
      quantized->note(notes);
      n.prepared(quantized->prepared_bytes());
      n.workspace(quantized->workspace_bytes());
      return;
    }
    if (takes_onednn) {
      onednn.emplace(*this);
      onednn->note(notes);
      if (bf16) n.prepared(Checked(inputs) * units * sizeof(uint16_t));
      n.workspace(onednn->workspace_bytes());
      return;
    }
    n.accumulates();
    const Checked transposed = Checked(need_dx ? inputs : 0) * units;
    const Checked undone = Checked(activates() ? batch : 0) * units;
    if (training) n.workspace((round_up(transposed, 16) + undone) * sizeof(float));
  }

  void forward(Context& c, const LayerCall& call) const {
    if (quantized) return quantized->forward(c, call);
    if (onednn) return onednn->forward(c, call);
    multiply(c, {.rows = batch,
                 .columns = units,
                 .terms = inputs,
                 .a = call.input().f32().data(),
                 .a_row = inputs,
                 .a_term = 1,
                 .b = call.parameter(0),
                 .b_stride = units,
                 .c = call.output().f32().data(),
                 .c_stride = units,
                 .start = has_bias ? call.parameter(1) : nullptr,
                 .activation = activation});
  }

  void backward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->backward(c, call);
    const float* dy = call.output_gradient().f32().data();
    if (activates()) {
      float* undone = call.workspace<float>() + padded(need_dx ? inputs * units : 0);
      undo(c, activation, call.output().f32().data(), dy, undone, batch * units);
      dy = undone;
    }
    if (float* dw = call.parameter_gradient(0)) {
      multiply(c, {.rows = inputs,
                   .columns = units,
                   .terms = batch,
                   .a = call.input().f32().data(),
                   .a_row = 1,
                   .a_term = inputs,
                   .b = dy,
                   .b_stride = units,
                   .c = dw,
                   .c_stride = units});
    }
    if (has_bias && call.parameter_gradient(1)) sum_rows(dy, batch, units, call.parameter_gradient(1));
    if (call.input_gradient()) input_gradient(c, call, dy);
  }

  // The weights rounded, in stored order; or as 8-bit integers.
  void prepare(Context& c, const LayerCall& call) const {
    if (quantized) return quantized->prepare(call);
    if (!bf16) return;
    c.parallel_for(inputs * units, [&](size_t begin, size_t end) {
      round_to_bf16(call.parameter(0) + begin, call.prepared<uint16_t>() + begin, end - begin);
    });
  }

  void pack(Context& c, uint32_t index, const float* plain, float* stored) const {
    if (index == 0) return transpose(c, plain, units, inputs, stored);
    std::copy_n(plain, units, stored);
  }
  void unpack(Context& c, uint32_t index, const float* stored, float* plain) const {
    if (index == 0) return transpose(c, stored, inputs, units, plain);
    std::copy_n(stored, units, plain);
  }

 private:
  static size_t padded(size_t floats) { return (floats + 15) / 16 * 16; }

  void input_gradient(Context& c, const LayerCall& call, const float* dy) const {
    auto* plain = call.workspace<float>();
    transpose(c, call.parameter(0), inputs, units, plain);
    multiply(c, {.rows = batch,
                 .columns = inputs,
                 .terms = units,
                 .a = dy,
                 .a_row = units,
                 .a_term = 1,
                 .b = plain,
                 .b_stride = inputs,
                 .c = call.input_gradient().f32().data(),
                 .c_stride = inputs,
                 .accumulate = call.accumulate()});
  }
};

}  // namespace

PLAIT_PLUGIN("plait.dense", "1.0.0", "Apache-2.0", wants_bf16(layer<Dense>("plait.dense")),
             numerics(&onednn_facts));
