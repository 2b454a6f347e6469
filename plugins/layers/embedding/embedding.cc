// A row of a trained table for each whole number.
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace layers {
namespace {

struct Embedding {
  int64_t rows = 0, units = 0, padding_row = -1;

  static void describe(Describe<Embedding>& d) {
    d.doc("a row of a trained table for each whole number");
    d.details(
        "y[n, ..., :] = weight[x[n, ...], :].\n"
        "Shapes: x [N], [N, T] or more axes, i32, of 0 to rows - 1; y [N, T, units] f32. Axis 1 may vary: "
        "past\n"
        "a sample's length y is 0. Parameters: weight [rows, units], drawn from a normal distribution of\n"
        "deviation 1.\n"
        "Source: Bengio, Ducharme, Vincent, Jauvin 2003.");
    d.field("rows", &Embedding::rows)
        .doc("whole numbers that there are, from 0 on")
        .range(1, int64_t{1} << 31)
        .required();
    d.field("units", &Embedding::units).doc("numbers in a row").range(1, kMostChannels).required();
    d.field("padding_row", &Embedding::padding_row)
        .doc("a row that stands for nothing: y is 0 there, and it is not trained; -1: none")
        .range(-1, int64_t{1} << 31);
  }
  static void examples(Examples& e) {
    e.add("rows: 5 units: 3").input(DType::i32, {4, 6});
    e.add("rows: 7 units: 20 padding_row: 0").input(DType::i32, {9});
    e.add("rows: 3 units: 2 padding_row: 2").input(DType::i32, {2, 3, 4});
  }
  static void ports(Ports& p) {
    p.input("x", "[N, ...]").doc("whole numbers below rows");
    p.output("y", "[N, ..., units]");
    p.parameter("weight", "[rows, units]");
  }
  void validate() const {
    if (padding_row >= rows)
      throw Error("padding_row is ", padding_row, ", wanted less than the ", rows, " rows");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::i32 || x.rank() < 1 || x.rank() >= PLAIT_MAX_RANK)
      s.fail("input is ", x, ", wanted i32 [N, ...] of at most ", PLAIT_MAX_RANK - 1, " axes");
    if (x.variable_axis() > 1)
      s.fail("axis ", x.variable_axis(), " of the input varies, wanted axis 1 or fixed extents");
    std::vector<int64_t> shape(x.shape().begin(), x.shape().end());
    shape.push_back(units);
    PartSpec& y = s.output(std::move(shape));
    y.dtype = DType::f32;
    y.variable_axis = x.variable_axis();
    s.weight("weight", {rows, units}).init("normal", 0, 1);
    s.input_range(0, 0, rows);
  }

  struct Kernel;
};

struct Embedding::Kernel {
  size_t rows, units, batch, per_sample, per_step;  // numbers of a sample, and of a place along axis 1
  int64_t padding_row;
  bool varies;

  Kernel(const Embedding& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : rows(static_cast<size_t>(config.rows)),
        units(static_cast<size_t>(config.units)),
        batch(static_cast<size_t>(r.input().shape(0))),
        per_sample(r.input().size() / std::max<size_t>(batch, 1)),
        per_step(per_sample),
        padding_row(config.padding_row),
        varies(r.input().variable_axis() == 1) {
    if (varies) per_step = per_sample / std::max<size_t>(static_cast<size_t>(r.input().shape(1)), 1);
    n.backward_reads(Reads::inputs);
  }

  void forward(Context& c, const LayerCall& call) const {
    const auto* x = call.input().data<int32_t>().data();
    const float* w = call.parameter(0);
    float* y = call.output().f32().data();
    c.parallel_for(batch * per_sample, 1 + Context::kDefaultGrain / units, [&](size_t i) {
      float* const to = y + i * units;
      if (is_inside(call.input(), i) && x[i] != padding_row) {
        std::copy_n(w + static_cast<size_t>(x[i]) * units, units, to);
      } else {
        std::fill_n(to, units, 0.0f);
      }
    });
  }

  // Rows that several numbers name are sums: threads share the units, so that their order is the batch's.
  void backward(Context& c, const LayerCall& call) const {
    float* dw = call.parameter_gradient(0);
    if (!dw) return;
    const auto* x = call.input().data<int32_t>().data();
    const float* dy = call.output_gradient().f32().data();
    c.parallel_for(rows * units, [&](size_t begin, size_t end) { std::fill(dw + begin, dw + end, 0.0f); });
    c.parallel_for(units, kUnitsAtOnce, [&](size_t begin, size_t end) {
      for (size_t i = 0; i < batch * per_sample; ++i) {
        if (!is_inside(call.input(), i) || x[i] == padding_row) continue;
        float* const row = dw + static_cast<size_t>(x[i]) * units;
        for (size_t k = begin; k < end; ++k) row[k] += dy[i * units + k];
      }
    });
  }

 private:
  static constexpr size_t kUnitsAtOnce = 32;

  bool is_inside(Tensor x, size_t i) const {
    return !varies || i % per_sample / per_step < static_cast<size_t>(x.length(i / per_sample));
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.embedding", "1.0.0", "Apache-2.0", layer<layers::Embedding>("plait.embedding"));
