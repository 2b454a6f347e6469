#include "onednn.hpp"

#include <plait/activation.hpp>
#include <plait/onednn_notes.hpp>

#include <algorithm>
#include <optional>

#include "matrix_product.hpp"

using dnnl::memory;
using plait::sdk::Checked;
using plait::sdk::Context;
using plait::sdk::Error;
using plait::sdk::ErrorCode;
using plait::sdk::LayerCall;
using plait::sdk::onednn_attributes;
using plait::sdk::onednn_keeps_nan;
using plait::sdk::OneDnnCall;

namespace {

enum class Order { kRows, kColumns };  // of which memory holds one after the other

memory::desc matrix(size_t rows, size_t columns, Order order, memory::data_type type) {
  const auto r = static_cast<memory::dim>(rows), c = static_cast<memory::dim>(columns);
  const memory::dims strides = order == Order::kRows ? memory::dims{c, 1} : memory::dims{1, r};
  return {{r, c}, type, strides};
}

}  // namespace

struct DenseOneDnn::Parts {
  DenseShape s;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  bool in_product = onednn_keeps_nan(s.activation);  // the function
  std::optional<OneDnnCall> product, input_gradient, weight_gradient;
  size_t scratchpad = 0,
         total = 0;  // bytes: where scratchpads begin, after the gradient before the activation

  explicit Parts(const DenseShape& shape) : s(shape) {
    constexpr auto kF32 = memory::data_type::f32;
    const auto type = s.bf16 ? memory::data_type::bf16 : kF32;
    const memory::desc y = matrix(s.batch, s.units, Order::kRows, type);
    make(product, matrix(s.batch, s.inputs, Order::kRows, type),
         matrix(s.inputs, s.units, Order::kRows, type), y, s.has_bias,
         in_product ? s.activation : Activation{});
    if (s.training) {
      make(weight_gradient, matrix(s.inputs, s.batch, Order::kColumns, type), y,
           matrix(s.inputs, s.units, Order::kRows, kF32), false, {});
      if (s.need_dx) {
        make(input_gradient, y, matrix(s.units, s.inputs, Order::kColumns, type),
             matrix(s.batch, s.inputs, Order::kRows, type), false, {});
      }
      if (s.activates()) scratchpad = plait::sdk::round_up(Checked(s.batch) * s.units * s.value_bytes(), 64);
    }
    size_t most = 0;
    for (const auto* call : {&product, &input_gradient, &weight_gradient}) {
      if (*call) most = std::max(most, (*call)->scratchpad_bytes());
    }
    total = Checked(scratchpad) + most;
  }

  const void* weights(const LayerCall& call) const {
    return s.bf16 ? call.prepared() : static_cast<const void*>(call.parameter(0));
  }
  // What the product has not: a function whose post-op is not the same.
  template <class T>
  void activate_behind(Context& c, const LayerCall& call) const {
    T* const y = call.output().data<T>().data();
    activate(c, s.activation, y, y, s.batch * s.units);
  }
  // Into the beginning of the workspace.
  template <class T>
  void undo_into(Context& c, const LayerCall& call) const {
    undo_activation(c, s.activation, call.output().data<const T>().data(),
                    call.output_gradient().data<const T>().data(), call.workspace<T>(), s.batch * s.units);
  }
  void sum_bias(const void* dy, float* db) const {
    s.bf16 ? sum_rows(static_cast<const uint16_t*>(dy), s.batch, s.units, db)
           : sum_rows(static_cast<const float*>(dy), s.batch, s.units, db);
  }

  // c = f(a b + bias)
  void make(std::optional<OneDnnCall>& call, const memory::desc& a, const memory::desc& b,
            const memory::desc& c, bool has_bias, const Activation& f) const {
    const memory::desc bias({1, static_cast<memory::dim>(s.units)}, memory::data_type::f32,
                            memory::format_tag::ab);
    const auto pd = has_bias ? dnnl::matmul::primitive_desc(engine, a, b, bias, c, onednn_attributes(f))
                             : dnnl::matmul::primitive_desc(engine, a, b, c, onednn_attributes(f));
    std::vector<OneDnnCall::Argument> arguments{{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}};
    if (has_bias) arguments.push_back({DNNL_ARG_BIAS, bias});
    call.emplace(engine, dnnl::matmul(pd), arguments, pd.scratchpad_desc());
  }
};

DenseOneDnn::DenseOneDnn(const DenseShape& shape) {
  try {
    parts_ = std::make_unique<Parts>(shape);
  } catch (const dnnl::error& error) {
    throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute the product of ", shape.batch, " x ",
                shape.inputs, " and ", shape.inputs, " x ", shape.units, " numbers (", error.what(),
                "); wanted fewer, or implementation: own");
  }
}
DenseOneDnn::~DenseOneDnn() = default;
DenseOneDnn::DenseOneDnn(DenseOneDnn&&) noexcept = default;

size_t DenseOneDnn::workspace_bytes() const { return parts_->total; }

void DenseOneDnn::note(const plait::sdk::KernelNotes& notes) const {
  note_forward(notes, parts_->product);
  if (!parts_->in_product) notes.forward(std::string("own:") + parts_->s.activation.name());
  note_backward(notes, parts_->weight_gradient);
  note_backward(notes, parts_->input_gradient);
}

void DenseOneDnn::forward(Context& c, const LayerCall& call) const {
  const Parts& p = *parts_;
  void* const scratch = call.workspace<uint8_t>() + p.scratchpad;
  const void *x = call.input().raw(), *w = p.weights(call), *y = call.output().raw();
  if (p.s.has_bias) {
    p.product->run({x, w, y, call.parameter(1)}, scratch);
  } else {
    p.product->run({x, w, y}, scratch);
  }
  if (!p.in_product) p.s.bf16 ? p.activate_behind<uint16_t>(c, call) : p.activate_behind<float>(c, call);
}

void DenseOneDnn::backward(Context& c, const LayerCall& call) const {
  const Parts& p = *parts_;
  void* const scratch = call.workspace<uint8_t>() + p.scratchpad;
  const void* dy = call.output_gradient().raw();
  if (p.s.activates()) {
    p.s.bf16 ? p.undo_into<uint16_t>(c, call) : p.undo_into<float>(c, call);
    dy = call.workspace();
  }
  if (const float* dw = call.parameter_gradient(0))
    p.weight_gradient->run({call.input().raw(), dy, dw}, scratch);
  if (p.s.has_bias && call.parameter_gradient(1)) p.sum_bias(dy, call.parameter_gradient(1));
  if (call.input_gradient())
    p.input_gradient->run({dy, p.weights(call), call.input_gradient().raw()}, scratch);
}
