#include "quantized.hpp"

#include <plait/onednn_int8.hpp>

using dnnl::memory;
using plait::sdk::Checked;
using plait::sdk::Context;
using plait::sdk::Error;
using plait::sdk::ErrorCode;
using plait::sdk::Int8Layer;
using plait::sdk::LayerCall;

namespace {

memory::desc matrix(size_t rows, size_t columns, memory::data_type type, bool any = false) {
  return {{static_cast<memory::dim>(rows), static_cast<memory::dim>(columns)},
          type,
          any ? memory::format_tag::any : memory::format_tag::ab};
}

}  // namespace

struct QuantizedDense::Parts {
  size_t units;
  Int8Layer layer;

  Parts(const DenseShape& s, plait::sdk::Range range) : units(s.units), layer(range, s.has_bias) {
    constexpr auto kF32 = memory::data_type::f32, kS8 = memory::data_type::s8;
    constexpr int kPerUnit = 1 << 1;  // a scale for each column of the weights
    const memory::desc x = matrix(s.batch, s.inputs, layer.input().type()),
                       y = matrix(s.batch, s.units, kF32), bias = matrix(1, s.units, kF32),
                       any = matrix(s.inputs, s.units, kS8, true);
    const auto attributes = int8_attributes(s.activation, kPerUnit);
    const auto pd = s.has_bias ? dnnl::matmul::primitive_desc(layer.engine(), x, any, bias, y, attributes)
                               : dnnl::matmul::primitive_desc(layer.engine(), x, any, y, attributes);
    layer.take_weights(matrix(s.inputs, s.units, kS8), pd.weights_desc(), s.units, s.inputs,
                       plait::sdk::Int8For::kProduct);
    layer.take_primitive(dnnl::matmul(pd), x, bias, y, pd.scratchpad_desc(), Checked(s.batch) * s.inputs);
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

size_t QuantizedDense::workspace_bytes() const { return parts_->layer.workspace_bytes(); }
size_t QuantizedDense::prepared_bytes() const { return parts_->layer.prepared_bytes(); }
void QuantizedDense::note(const plait::sdk::KernelNotes& notes) const { parts_->layer.note(notes); }

void QuantizedDense::prepare(const LayerCall& call) const {
  const auto place = [units = parts_->units](size_t unit, size_t input) { return input * units + unit; };
  parts_->layer.prepare(call, place, place);
}

void QuantizedDense::forward(Context& c, const LayerCall& call) const { parts_->layer.forward(c, call); }
