// What the implementations of concat share: its fields and shapes.
#pragma once
#include <plait/implementation.hpp>
#include <plait/sdk.hpp>

namespace layers {

using namespace plait::sdk;

struct Concat {
  int64_t axis = -1;
  Implementation implementation = Implementation::kAuto;
  static constexpr uint32_t min_inputs = 1, max_inputs = kAnyInputs;
  static constexpr bool two_axes = true;

  static void describe(Describe<Concat>& d) {
    d.doc("puts inputs side by side along one axis");
    d.details("Shapes: inputs f32, alike but for `axis`; y's extent along it is the sum of theirs.");
    d.field("axis", &Concat::axis).doc("axis to join along; negative counts from the end").range(-7, 7);
    describe_implementation(d, &Concat::implementation, "whose loops join; auto: own");
  }

  static void ports(Ports& p) {
    p.input("x", "alike but for axis").doc("a part of y, in their order").repeated();
    p.output("y");
  }

  void infer(LayerShapes& s) const {
    const PartSpec first(s.input(0));
    const auto place = place_of(s.input(0));
    PartSpec joined = first;
    joined.shape[place] = 0;
    for (size_t i = 0; i < s.inputs(); ++i) {
      const PartSpec x(s.input(i));
      PartSpec other = x;
      if (other.shape.size() == first.shape.size()) other.shape[place] = first.shape[place];
      if (x.dtype != DType::f32 || other.shape != first.shape || x.variable_axis != first.variable_axis ||
          x.second_axis != first.second_axis) {
        s.fail("input ", i, " is ", s.input(i), ", wanted f32 like ", s.input(0), " but along axis ", place);
      }
      joined.shape[place] = Checked(joined.shape[place]) + x.shape[place];
    }
    PartSpec& output = s.output(joined.shape);
    output.variable_axis = first.variable_axis, output.second_axis = first.second_axis;
  }

  size_t place_of(Spec x) const {
    const int64_t place = axis < 0 ? axis + x.rank() : axis;
    if (place == 0) throw Error("axis 0, the batch, cannot be joined");
    if (place < 0 || place >= x.rank()) throw Error("axis ", axis, " of ", x, " does not exist");
    if (x.varies(static_cast<int>(place))) throw Error("axis ", place, " varies and cannot be joined");
    return static_cast<size_t>(place);
  }
  // Floats that lie together: the extent of the axis and all after it.
  size_t run(Tensor x) const {
    size_t product = 1;
    for (int64_t a = axis < 0 ? axis + x.rank() : axis; a < x.rank(); ++a) {
      product *= static_cast<size_t>(x.shape(static_cast<int>(a)));
    }
    return product;
  }
};

}  // namespace layers
