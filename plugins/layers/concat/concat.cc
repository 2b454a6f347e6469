// Joins inputs along one axis.
#include <plait/sdk.hpp>

#include <cstring>

namespace {

using namespace plait::sdk;

struct Concat {
  int64_t axis = -1;
  static constexpr uint32_t min_inputs = 1, max_inputs = kAnyInputs;

  static void describe(Describe<Concat>& d) {
    d.doc("puts inputs side by side along one axis");
    d.details("Shapes: inputs f32, alike but for `axis`; y's extent along it is the sum of theirs.");
    d.field("axis", &Concat::axis).doc("axis to join along; negative counts from the end").range(-7, 7);
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
      if (x.dtype != DType::f32 || other.shape != first.shape || x.variable_axis != first.variable_axis) {
        s.fail("input ", i, " is ", s.input(i), ", wanted f32 like ", s.input(0), " but along axis ", place);
      }
      joined.shape[place] = Checked(joined.shape[place]) + x.shape[place];
    }
    s.output(joined.shape).variable_axis = first.variable_axis;
  }

  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }

  void forward(Context& c, const LayerCall& call) const {
    const size_t whole = run(call.output());
    size_t at = 0;
    for (size_t i = 0; i < call.inputs(); ++i) {
      const size_t part = run(call.input(i));
      const float* x = call.input(i).f32().data();
      float* y = call.output().f32().data() + at;
      copy_rows(c, x, part, y, whole, part, call.input(i).size());
      at += part;
    }
  }

  void backward(Context& c, const LayerCall& call) const {
    const size_t whole = run(call.output_gradient());
    size_t at = 0;
    for (size_t i = 0; i < call.inputs(); ++i) {
      const size_t part = run(call.input(i));
      if (call.input_gradient(i)) {
        const float* dy = call.output_gradient().f32().data() + at;
        copy_rows(c, dy, whole, call.input_gradient(i).f32().data(), part, part, call.input(i).size());
      }
      at += part;
    }
  }

 private:
  size_t place_of(Spec x) const {
    const int64_t place = axis < 0 ? axis + x.rank() : axis;
    if (place == 0) throw Error("axis 0, the batch, cannot be joined");
    if (place < 0 || place >= x.rank()) throw Error("axis ", axis, " of ", x, " does not exist");
    if (place == x.variable_axis()) throw Error("axis ", place, " varies and cannot be joined");
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
  static void copy_rows(Context& c, const float* from, size_t from_stride, float* to, size_t to_stride,
                        size_t run, size_t count) {
    if (run == 0) return;
    c.parallel_for(count / run, 1 + Context::kDefaultGrain / run, [&](size_t row) {
      std::memcpy(to + row * to_stride, from + row * from_stride, run * sizeof(float));
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.concat", "1.0.0", "Apache-2.0", layer<Concat>("plait.concat"));
