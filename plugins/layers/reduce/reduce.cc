// One number of all along some axes: their mean, sum or largest.
#include "reduce.h"

#include <plait/functions.hpp>
#include <plait/sdk/checked.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

#include "onednn.hpp"

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_FAST void add_line(const float* x, double* sums, size_t count) {
  for (size_t i = 0; i < count; ++i) sums[i] += x[i];
}
PLAIT_FAST void scale_line(const float* dy, float factor, float* dx, size_t count) {
  for (size_t i = 0; i < count; ++i) dx[i] += factor * dy[i];
}

PLAIT_FAST double sum_line(const float* x, size_t count) { return sum_of(x, count); }

// NaN is larger than all, so that it is passed on.
bool is_larger(float x, float than) { return x > than || (std::isnan(x) && !std::isnan(than)); }

enum class Operation { kMean, kSum, kMax };

struct Reduction {
  Operation operation = Operation::kMean;
  std::vector<int64_t> axes;
  bool keep = false;
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Reduction>& d) {
    d.doc("mean, sum or largest along some axes");
    d.details(
        "Shapes: x [N, ...] f32; y without the axes that are reduced, or with extents of 1 there.\n"
        "Axis 1 may vary where it is reduced: what lies past a sample's length does not count; of none the\n"
        "result is 0. Sums are f64. NaN is passed on.");
    d.field("operation", &Reduction::operation)
        .doc("what becomes of the numbers")
        .choices({"mean", "sum", "max"});
    d.field("axes", &Reduction::axes)
        .doc("axes of x, -1 is the last; when not given, all but the batch")
        .range(-7, 7);
    d.field("keep", &Reduction::keep).doc("keep reduced axes, of extent 1");
    describe_implementation(d, &Reduction::implementation,
                            "whose loops; auto: own, which sum in f64, know lengths and pass NaN on");
  }

  void validate() const {
    if (implementation == Implementation::kOneDnn && operation == Operation::kMax)
      throw Error(
          "operation is max and implementation onednn, which passes over NaN and does not say where the "
          "largest "
          "is: wanted mean or sum, or own");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    const ReducedAxes reduced(x, axes);
    if (implementation == Implementation::kOneDnn && x.variable_axis() >= 0)
      s.fail("axis ", x.variable_axis(),
             " of the input varies, and oneDNN knows no lengths: wanted implementation own");
    std::vector<int64_t> shape{x.shape(0)};
    for (int a = 1; a < x.rank(); ++a) {
      if (!reduced.is_reduced(static_cast<size_t>(a))) {
        shape.push_back(x.shape(a));
      } else if (x.shape(a) < 1) {
        s.fail("axis ", a, " of the input is ", x.shape(a), ", wanted at least 1");
      } else if (keep) {
        shape.push_back(1);
      }
    }
    s.output(std::move(shape)).variable_axis = -1;
  }

  struct Kernel;
};

struct Reduction::Kernel {
  ReducedAxes axes;
  Operation operation;
  size_t batch;
  std::optional<ReduceOneDnn> onednn;  // the forward pass

  Kernel(const Reduction& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : axes(r.input(), config.axes),
        operation(config.operation),
        batch(static_cast<size_t>(r.input().shape(0))) {
    n.backward_reads(Reads::nothing);
    n.accumulates();
    const KernelNotes notes(c);
    if (config.implementation == Implementation::kAuto) notes.chose("implementation", "own");
    if (config.implementation == Implementation::kOneDnn && r.input().size() > 0) {
      onednn.emplace(operation == Operation::kMean, axes, r, n);
      onednn->note(notes);
      return;
    }
    const Checked outputs = Checked(batch) * axes.outputs();
    if (operation != Operation::kMax) n.workspace(outputs * sizeof(double));
    if (operation == Operation::kMax && r.training()) n.saved(outputs * sizeof(int64_t));
  }

  void forward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->forward(call);
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(batch, grain(), [&](size_t n) {
      const float* from = x + n * axes.inputs();
      float* to = y + n * axes.outputs();
      const auto valid = static_cast<size_t>(call.input().length(n));
      if (operation == Operation::kMax) {
        largest(from, valid, to, call.training() ? call.saved<int64_t>() + n * axes.outputs() : nullptr);
      } else {
        sum(from, valid, to, call.workspace<double>() + n * axes.outputs());
      }
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(batch, grain(), [&](size_t n) {
      const float* from = dy + n * axes.outputs();
      float* to = dx + n * axes.inputs();
      if (!call.accumulate()) std::fill_n(to, axes.inputs(), 0.0f);
      if (operation == Operation::kMax) {
        for (size_t i = 0; i < axes.outputs(); ++i) {
          const int64_t place = call.saved<int64_t>()[n * axes.outputs() + i];
          if (place >= 0) to[place] += from[i];
        }
      } else {
        spread(from, static_cast<size_t>(call.input_gradient().length(n)), to);
      }
    });
  }

 private:
  size_t grain() const { return 1 + Context::kDefaultGrain / (axes.inputs() + 1); }
  float factor(size_t valid) const {
    const size_t terms = std::max<size_t>(axes.terms(valid), 1);
    return operation == Operation::kMean ? static_cast<float>(1.0 / static_cast<double>(terms)) : 1.0f;
  }

  void sum(const float* x, size_t valid, float* y, double* sums) const {
    std::fill_n(sums, axes.outputs(), 0.0);
    axes.each_line(valid, [&](size_t at, size_t out) {
      if (axes.last_is_reduced()) {
        sums[out] += sum_line(x + at, axes.valid_of_line(valid));
      } else {
        add_line(x + at, sums + out, axes.length());
      }
    });
    const auto terms = static_cast<double>(std::max<size_t>(axes.terms(valid), 1));
    for (size_t i = 0; i < axes.outputs(); ++i)
      y[i] = static_cast<float>(operation == Operation::kMean ? sums[i] / terms : sums[i]);
  }

  void spread(const float* dy, size_t valid, float* dx) const {
    const float each = factor(valid);
    axes.each_line(valid, [&](size_t at, size_t out) {
      if (axes.last_is_reduced()) {
        for (size_t i = 0; i < axes.valid_of_line(valid); ++i) dx[at + i] += each * dy[out];
      } else {
        scale_line(dy + out, each, dx + at, axes.length());
      }
    });
  }

  // places [outputs]: in the sample, -1 where there is none; null in evaluation.
  void largest(const float* x, size_t valid, float* y, int64_t* places) const {
    std::fill_n(y, axes.outputs(), axes.terms(valid) > 0 ? -INFINITY : 0.0f);
    if (places) std::fill_n(places, axes.outputs(), int64_t{-1});
    const size_t step = axes.last_is_reduced() ? 0 : 1;
    axes.each_line(valid, [&](size_t at, size_t out) {
      for (size_t i = 0; i < axes.valid_of_line(valid); ++i) {
        const size_t to = out + i * step;
        if (!is_larger(x[at + i], y[to]) && !(places && places[to] < 0)) continue;
        y[to] = x[at + i];
        if (places) places[to] = static_cast<int64_t>(at + i);
      }
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.reduce", "1.0.0", "Apache-2.0", layer<layers::Reduction>("plait.reduce"),
             numerics(&onednn_facts));
