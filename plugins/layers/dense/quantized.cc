#include "quantized.hpp"

#include <plait/onednn_int8.hpp>
#include <plait/onednn_notes.hpp>

#include <optional>

using dnnl::memory;
using plait::sdk::Checked;
using plait::sdk::Context;
using plait::sdk::Error;
using plait::sdk::ErrorCode;
using plait::sdk::Int8Input;
using plait::sdk::Int8Weights;
using plait::sdk::LayerCall;
using plait::sdk::OneDnnCall;

namespace {

memory::desc matrix(size_t rows, size_t columns, memory::data_type type, bool any = false) {
  return {{static_cast<memory::dim>(rows), static_cast<memory::dim>(columns)},
          type,
          any ? memory::format_tag::any : memory::format_tag::ab};
}

}  // namespace

struct QuantizedDense::Parts {
  DenseShape s;
  Int8Input input;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  std::optional<Int8Weights> weights;
  std::optional<OneDnnCall> product;
  size_t scratchpad = 0, total = 0;  // bytes of the workspace: behind the input's integers; in all

  Parts(const DenseShape& shape, plait::sdk::Range range) : s(shape), input(range) {
    constexpr auto kF32 = memory::data_type::f32, kS8 = memory::data_type::s8;
    constexpr int kPerUnit = 1 << 1;  // a scale for each column of the weights
    const memory::desc x = matrix(s.batch, s.inputs, input.type()), y = matrix(s.batch, s.units, kF32),
                       bias = matrix(1, s.units, kF32), any = matrix(s.inputs, s.units, kS8, true);
    const auto attributes = int8_attributes(s.activation, kPerUnit);
    const auto pd = s.has_bias ? dnnl::matmul::primitive_desc(engine, x, any, bias, y, attributes)
                               : dnnl::matmul::primitive_desc(engine, x, any, y, attributes);
    weights.emplace(engine, matrix(s.inputs, s.units, kS8), pd.weights_desc(), s.units, s.inputs,
                    plait::sdk::Int8For::kProduct);
    std::vector<OneDnnCall::Argument> arguments{
        {DNNL_ARG_SRC, x},
        {DNNL_ARG_WEIGHTS, weights->desc()},
        {DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, weights->scales_desc()},
        {DNNL_ARG_DST, y}};
    if (s.has_bias) arguments.push_back({DNNL_ARG_BIAS, bias});
    product.emplace(engine, dnnl::matmul(pd), arguments, pd.scratchpad_desc());
    scratchpad = plait::sdk::round_up(Checked(s.batch) * s.inputs, 64);
    total = Checked(scratchpad) + product->scratchpad_bytes();
  }
};

QuantizedDense::QuantizedDense(const DenseShape& shape, plait::sdk::Range range) {
  try {
    parts_ = std::make_unique<Parts>(shape, range);
  } catch (const dnnl::error& error) {
    throw Error(ErrorCode::kUnsupported,
                "oneDNN cannot compute this product of 8-bit integers: ", error.what());
  }
}
QuantizedDense::~QuantizedDense() = default;
QuantizedDense::QuantizedDense(QuantizedDense&&) noexcept = default;

size_t QuantizedDense::workspace_bytes() const { return parts_->total; }
size_t QuantizedDense::prepared_bytes() const { return parts_->weights->bytes(); }

void QuantizedDense::note(const plait::sdk::KernelNotes& notes) const {
  notes.forward(parts_->input.is_signed() ? "own:f32 to s8" : "own:f32 to u8");
  note_forward(notes, parts_->product);
}

void QuantizedDense::prepare(const LayerCall& call) const {
  const auto place = [units = parts_->s.units](size_t unit, size_t input) { return input * units + unit; };
  parts_->weights->prepare(parts_->input, call.parameter(0), call.prepared(), place, place);
}

void QuantizedDense::forward(Context& c, const LayerCall& call) const {
  const Parts& p = *parts_;
  auto* const q = call.workspace<uint8_t>();
  void* const scratch = q + p.scratchpad;
  p.input.round(c, call.input().f32(), q);
  const void* const w = Int8Weights::weights(call.prepared());
  const float* const scales = p.weights->scales(call.prepared());
  const float* const y = call.output().f32().data();
  if (p.s.has_bias) {
    p.product->run({q, w, scales, y, call.parameter(1)}, scratch);
  } else {
    p.product->run({q, w, scales, y}, scratch);
  }
}
