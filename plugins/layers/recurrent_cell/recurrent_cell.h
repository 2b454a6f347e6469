// What the implementations of recurrent_cell share: its fields and shapes.
#pragma once
#include <plait/sdk.hpp>

namespace layers {

using namespace plait::sdk;

enum class Cell { kElman, kGru };

struct RecurrentCell {
  int64_t units = 0;
  Cell cell = Cell::kGru;

  static void describe(Describe<RecurrentCell>& d) {
    d.doc("carries a state along a sequence");
    d.details(
        "elman: h' = tanh(Wi x + bi + Wh h + bh). gru: r, z = sigmoid(...), n = tanh(Wi x + bi + r (Wh h + "
        "bh)),\n"
        "h' = (1 - z) n + z h. Shapes: x [N, W, C] f32, W may vary; y [N, W, units].\n"
        "Source: Elman 1990; Cho et al. 2014.");
    d.field("units", &RecurrentCell::units).doc("numbers in the state").range(1, kMostChannels).required();
    d.field("cell", &RecurrentCell::cell).doc("how the state changes").choices({"elman", "gru"});
  }

  int64_t gates() const { return cell == Cell::kGru ? 3 : 1; }

  static void ports(Ports& p) {
    p.input("x", "[N, W, C]").doc("a sequence, W may vary");
    p.output("y", "[N, W, units]").doc("the state after each place");
    p.parameter("input_weight", "[gates units, C]").doc("gru: r, z, n");
    p.parameter("recurrent_weight", "[gates units, units]");
    p.parameter("input_bias", "[gates units]");
    p.parameter("recurrent_bias", "[gates units]");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() != 3) s.fail("input is ", x, ", wanted f32 [N, W, C]");
    if (x.variable_axis() != -1 && x.variable_axis() != 1)
      s.fail("axis ", x.variable_axis(), " varies, wanted axis 1");
    const int64_t rows = gates() * units;
    const auto fan = static_cast<double>(units);
    s.output({x.shape(0), x.shape(1), units}).variable_axis = x.variable_axis();
    s.weight("input_weight", {rows, x.shape(2)}).init("torch_uniform").fans(fan, fan);
    s.weight("recurrent_weight", {rows, units}).init("torch_uniform").fans(fan, fan);
    s.bias("input_bias", rows).init("torch_uniform").fans(fan, fan);
    s.bias("recurrent_bias", rows).init("torch_uniform").fans(fan, fan);
    s.multiply_adds(static_cast<double>(x.shape(0)) * static_cast<double>(x.shape(1)) *
                    static_cast<double>(rows) * static_cast<double>(x.shape(2) + units));
  }

  struct Kernel;  // recurrent_cell.cc: the host's
};

}  // namespace layers
