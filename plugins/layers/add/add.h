// What the implementations of add share: its fields and shapes.
#pragma once
#include <plait/implementation.hpp>
#include <plait/sdk.hpp>

namespace layers {

using namespace plait::sdk;

struct Add {
  static constexpr uint32_t min_inputs = 2, max_inputs = kAnyInputs;
  static constexpr bool two_axes = true;
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Add>& d) {
    d.doc("sum of the inputs");
    d.details("Shapes: all inputs and y alike, f32 or bf16; a sum in bf16 is rounded once.");
    describe_implementation(d, &Add::implementation,
                            "whose loops; auto: own, which work in place and absorb functions");
  }

  static void ports(Ports& p) {
    p.input("x", "all alike").doc("a term").repeated();
    p.output("y", "as x").doc("the sum");
  }

  void infer(LayerShapes& s) const {
    const Spec first = s.input(0);
    const bool takes_bf16 = implementation != Implementation::kOneDnn;
    if (first.dtype() != DType::f32 && !(takes_bf16 && first.dtype() == DType::bf16))
      s.fail("input 0 is ", first, ", wanted f32");
    for (size_t i = 1; i < s.inputs(); ++i) {
      const Spec x = s.input(i);
      if (text(x) != text(first) || x.variable_axis() != first.variable_axis() ||
          x.second_axis() != first.second_axis()) {
        s.fail("input ", i, " is ", x, ", wanted ", first, " like input 0");
      }
    }
    s.output_like(0);
    if (implementation == Implementation::kOneDnn) return;
    s.in_place();
    for (const char* name : {"relu", "tanh", "sigmoid", "linear", PLAIT_EPILOGUE_FUNCTIONS})
      s.accepts_epilogue(name);
  }

  struct Kernel;  // add.cc: the host's
};

}  // namespace layers
