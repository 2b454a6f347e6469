// Axes in another order.
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "onednn.hpp"

using namespace plait::sdk;

namespace layers {
namespace {

struct Transpose {
  std::vector<int64_t> axes;
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Transpose>& d) {
    d.doc("the axes of a sample in another order");
    d.details(
        "Axis k of y is axis axes[k - 1] of x; axis 0, the batch, stays.\n"
        "Shapes: x [N, ...] f32, y the same extents in another order.");
    d.field("axes", &Transpose::axes)
        .doc("axes of x, 1 to its last, each once; when not given, the last two change places")
        .range(1, 7);
    describe_implementation(d, &Transpose::implementation,
                            "whose loops; auto: oneDNN where the last axis moves");
  }
  static void examples(Examples& e) {
    e.add("axes: 2 axes: 1").input(DType::f32, {3, 4, 5});
    e.add("axes: 3 axes: 1 axes: 2").input(DType::f32, {2, 3, 4, 5});
    e.add("axes: 4 axes: 3 axes: 2 axes: 1").input(DType::f32, {2, 2, 3, 2, 3});
  }

  void infer(LayerShapes& s) const {
    std::vector<int64_t> shape;
    for (const size_t a : order(s.input())) shape.push_back(s.input().shape()[a]);
    s.output(std::move(shape));
  }

  struct Kernel;

 private:
  // For each axis of y that of x.
  std::vector<size_t> order(Spec x) const {
    if (x.dtype() != DType::f32 || x.rank() < 3)
      throw Error("input is ", x, ", wanted f32 [N, ...] of 3 axes or more");
    if (x.variable_axis() >= 0)
      throw Error("axis ", x.variable_axis(), " of the input varies, wanted fixed extents");
    std::vector<size_t> made(static_cast<size_t>(x.rank()));
    std::iota(made.begin(), made.end(), size_t{0});
    if (axes.empty()) return std::swap(made[made.size() - 2], made.back()), made;
    if (axes.size() + 1 != made.size()) throw_wrong(x);
    std::ranges::copy(axes, made.begin() + 1);
    std::vector<size_t> sorted = made;
    std::ranges::sort(sorted);
    for (size_t a = 0; a < sorted.size(); ++a)
      if (sorted[a] != a) throw_wrong(x);
    return made;
  }
  [[noreturn]] void throw_wrong(Spec x) const {
    throw Error("axes are ", std::span<const int64_t>(axes), ", and the input is ", x,
                ": wanted each of 1 to ", x.rank() - 1, " once");
  }
};

// README.md has the measurements. Where the last axis stays, both copy lines.
bool onednn_wins(const std::vector<size_t>& order) { return order.back() + 1 != order.size(); }

// Lines of y along its last axis; their places in x follow from the other axes.
struct Transpose::Kernel {
  std::array<size_t, PLAIT_MAX_RANK> extents{}, strides{};  // of y's axes but the last; strides in x
  size_t axes, lines, length, stride;                       // of the last
  std::optional<TransposeOneDnn> onednn;

  Kernel(const Transpose& config, Context& c, const LayerRequest& r, LayerNeeds& n) {
    const Spec x = r.input();
    const auto order = config.order(x);
    n.backward_reads(Reads::nothing);
    const KernelNotes notes(c);
    const bool is_open = config.implementation == Implementation::kAuto;
    const bool takes_onednn = is_open ? onednn_wins(order) : config.implementation == Implementation::kOneDnn;
    if (is_open) notes.chose("implementation", takes_onednn ? "onednn" : "own");
    if (takes_onednn && x.size() > 0) {
      onednn.emplace(std::span<const size_t>(order), r, n);
      onednn->note(notes);
      return;
    }
    std::array<size_t, PLAIT_MAX_RANK> of_x{};
    size_t size = 1;
    for (size_t a = order.size(); a-- > 0; size *= static_cast<size_t>(x.shape()[a])) of_x[a] = size;
    axes = order.size() - 1;
    for (size_t a = 0; a < axes; ++a) {
      extents[a] = static_cast<size_t>(x.shape()[order[a]]);
      strides[a] = of_x[order[a]];
    }
    length = static_cast<size_t>(x.shape()[order.back()]);
    stride = of_x[order.back()];
    lines = x.size() / std::max<size_t>(length, 1);
    n.accumulates();
  }

  void forward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->forward(call);
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(lines, grain(), [&](size_t line) {
      const float* from = x + place(line);
      for (size_t i = 0; i < length; ++i) y[line * length + i] = from[i * stride];
    });
  }
  void backward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->backward(call);
    if (!call.input_gradient()) return;
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    const bool accumulate = call.accumulate();
    c.parallel_for(lines, grain(), [&](size_t line) {
      float* to = dx + place(line);
      for (size_t i = 0; i < length; ++i)
        to[i * stride] = accumulate ? to[i * stride] + dy[line * length + i] : dy[line * length + i];
    });
  }

 private:
  size_t grain() const { return 1 + Context::kDefaultGrain / (length + 1); }
  size_t place(size_t line) const {
    size_t at = 0;
    for (size_t a = axes; a-- > 0; line /= extents[a]) at += line % extents[a] * strides[a];
    return at;
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.transpose", "1.0.0", "Apache-2.0", layer<layers::Transpose>("plait.transpose"),
             numerics(&onednn_facts));
