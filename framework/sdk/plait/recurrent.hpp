// Layers that carry a state along a sequence: their fields, shapes and parameters, and the order in which
// steps are taken. Optional; sdk.hpp does not include it.
//
// Shapes: x [N, W, C] f32, W may vary; y [N, W, units] (output: all) or [N, units] (output: last).
// Parameters: input_weight [G units, C], recurrent_weight [G units, units], input_bias [G units],
// recurrent_bias [G units]; G gates, in PyTorch's order.
// The state begins as zeros. Steps past a sample's length are not taken: y is 0 there. Fails with: kInvalid
// for another input, or one without steps or channels. Threads: [any]
#pragma once
#include <plait/initializers.hpp>
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>

#include <algorithm>

namespace plait::sdk {

enum class Along { kForward, kBackward };
enum class States { kAll, kLast };

// Base of such a layer: describe calls describe_sequence, infer calls infer_sequence, ports ports_of.
struct Recurrent {
  int64_t units = 0;
  Along direction = Along::kForward;
  States output = States::kAll;
  std::string weight_init = kDefaultInitializer;

  template <class Layer>
  static void describe_sequence(Describe<Layer>& d) {
    d.field("units", &Recurrent::units).doc("numbers in the state").range(1, kMostChannels).required();
    d.field("direction", &Recurrent::direction)
        .doc("from which end of its sequence a sample is read")
        .choices({"forward", "backward"});
    d.field("output", &Recurrent::output)
        .doc("the state after each step, or after the last one that a sample has")
        .choices({"all", "last"});
    d.field("weight_init", &Recurrent::weight_init).doc(kInitializerDoc).choices(kInitializers);
  }

  static void ports_of(Ports& p, const char* gates) {
    p.input("x", "[N, W, C]").doc("a sequence, W may vary");
    p.output("y", "[N, W, units]").doc("the state after each step, or [N, units] after the last");
    p.parameter("input_weight", "[gates units, C]").doc(gates);
    p.parameter("recurrent_weight", "[gates units, units]");
    p.parameter("input_bias", "[gates units]");
    p.parameter("recurrent_bias", "[gates units]");
  }

  void infer_sequence(LayerShapes& s, int64_t gates) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() != 3) s.fail("input is ", x, ", wanted f32 [N, W, C]");
    if (x.variable_axis() != -1 && x.variable_axis() != 1)
      s.fail("axis ", x.variable_axis(), " varies, wanted axis 1");
    if (x.shape(1) < 1 || x.shape(2) < 1)
      s.fail("input is ", x, ", wanted at least one step and one channel");
    const int64_t rows = gates * units, channels = x.shape(2);
    if (output == States::kAll) {
      s.output({x.shape(0), x.shape(1), units}).variable_axis = x.variable_axis();
    } else {
      s.output({x.shape(0), units});
    }
    // PyTorch draws all of them over +-1 / sqrt(units).
    const auto u = static_cast<double>(units), r = static_cast<double>(rows),
               c = static_cast<double>(channels);
    const bool torch = weight_init == kDefaultInitializer;
    initialize_weight(s.weight("input_weight", {rows, channels}), weight_init, torch ? u : c, r);
    initialize_weight(s.weight("recurrent_weight", {rows, units}), weight_init, u, r);
    initialize_bias(s.bias("input_bias", rows), weight_init, u, r);
    initialize_bias(s.bias("recurrent_bias", rows), weight_init, u, r);
    s.multiply_adds(static_cast<double>(x.shape(0)) * static_cast<double>(x.shape(1)) * r * (c + u));
  }
};

// Sequences [N, W, ...] beside the steps that a layer takes, [W, N, ...]: step t of a sample of length L is
// its place t, or L - 1 - t where it is read from its end. Steps that a sample does not have are zeros.
class SequenceSteps {
 public:
  SequenceSteps(const Recurrent& layer, size_t batch, size_t steps)
      : batch_(batch), steps_(steps), backward_(layer.direction == Along::kBackward) {}

  // to: [W, N, width]
  void take(Context& c, Tensor lengths, const float* sequences, size_t width, float* to) const {
    each_step(c, lengths, width, [&](size_t place, size_t step, bool is) {
      float* const row = to + step * width;
      is ? std::copy_n(sequences + place * width, width, row) : std::fill_n(row, width, 0.0f);
    });
  }
  // sequences: [N, W, width], zeros past the lengths.
  void give(Context& c, Tensor lengths, const float* from, size_t width, float* sequences) const {
    each_step(c, lengths, width, [&](size_t place, size_t step, bool is) {
      float* const row = sequences + place * width;
      is ? std::copy_n(from + step * width, width, row) : std::fill_n(row, width, 0.0f);
    });
  }
  // to: [W, N, width], zeros but in each sample's last step, which is of `last` [N, width].
  void take_last(Context& c, Tensor lengths, const float* last, size_t width, float* to) const {
    each_step(c, lengths, width,
              [&](size_t, size_t step, bool) { std::fill_n(to + step * width, width, 0.0f); });
    for (size_t n = 0; n < batch_; ++n)
      if (const size_t length = length_of(lengths, n))
        std::copy_n(last + n * width, width, to + ((length - 1) * batch_ + n) * width);
  }
  // last: [N, width], zeros for a sample of no steps.
  void give_last(Tensor lengths, const float* from, size_t width, float* last) const {
    for (size_t n = 0; n < batch_; ++n) {
      float* const row = last + n * width;
      const size_t length = length_of(lengths, n);
      length ? std::copy_n(from + ((length - 1) * batch_ + n) * width, width, row)
             : std::fill_n(row, width, 0.0f);
    }
  }

 private:
  static size_t length_of(Tensor lengths, size_t n) { return static_cast<size_t>(lengths.length(n)); }

  // body(n W + place, step N + n, whether the sample has it)
  template <class Body>
  void each_step(Context& c, Tensor lengths, size_t width, const Body& body) const {
    const uint64_t grain = 1 + Context::kDefaultGrain / (steps_ * width + 1);
    c.parallel_for(batch_, grain, [&](size_t n) {
      const size_t length = length_of(lengths, n);
      for (size_t t = 0; t < steps_; ++t) {
        const size_t place = t < length && backward_ ? length - 1 - t : t;
        body(n * steps_ + place, t * batch_ + n, t < length);
      }
    });
  }

  size_t batch_, steps_;
  bool backward_;
};

}  // namespace plait::sdk
