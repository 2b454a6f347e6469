// A linear map that a stage has found, such as the main directions of the data.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace plait::sdk;

namespace {

// y = A x + b; A is stored by columns, so that the loop over outputs vectorises and each sums in one order.
PLAIT_FAST void multiply_add(const float* x, const float* columns, size_t inputs, size_t outputs, float* y) {
  for (size_t i = 0; i < inputs; ++i) {
    const float* const column = columns + i * outputs;
    const float value = x[i];
    for (size_t k = 0; k < outputs; ++k) y[k] += column[k] * value;
  }
}

struct Project {
  std::string part = "image";
  StageOutput from;

  static void describe(Describe<Project>& d) {
    d.doc("transform x + offset, by the matrix that a stage makes (pca)");
    d.details(
        "Shapes: the part's D elements, of u8, f32, f64, i32 or i64, become f32 [K]. The stage's arrays: "
        "transform [K, D] and,\n"
        "where there is one, offset [K]; without it 0. Sums are f32, over the elements in their order.");
    d.field("part", &Project::part).doc("part of the sample");
    d.field("from", &Project::from).doc("stage that makes transform and offset").required();
  }
  static void examples(Examples& e) {
    e.add("from: \"p\"")
        .input(DType::u8, {2, 2, 1}, "image")
        .stage("p", "transform", {3, 4}, {1, 0, 0.5, -1, 0, 2, 0, 0, 0.25, 0.25, 0.25, 0.25})
        .stage("p", "offset", {3}, {1, -2, 0});
    e.add("part: \"x\" from: \"q\"")
        .input(DType::f32, {3}, "x")
        .stage("q", "transform", {2, 3}, {1, -1, 2, 0.5, 0, 3});
  }

  void infer(Parts& parts) const {
    PartSpec& values = parts.part(part);
    const bool is_half = values.dtype == DType::f16 || values.dtype == DType::bf16;
    if (is_half || values.variable_axis >= 0)
      throw Error("part \"", part, "\" is ", name_of(values.dtype), std::span<const int64_t>(values.shape),
                  values.variable_axis >= 0 ? " with a variable axis" : "",
                  ", wanted u8, f32, f64, i32 or i64 of a fixed shape");
    const auto transform = from.shape("transform");
    const auto elements = static_cast<int64_t>(values.size());
    if (transform.size() != 2 || transform[1] != elements)
      throw Error("transform of stage \"", from.name(), "\" is ", transform, ", wanted [K, ", elements,
                  "] for the elements of part \"", part, "\"");
    if (transform[0] < 1)
      throw Error("transform of stage \"", from.name(), "\" has a number of rows that only its run can tell");
    if (from.has("offset")) {
      const auto offset = from.shape("offset");
      if (offset.size() != 1 || offset[0] != transform[0])
        throw Error("offset of stage \"", from.name(), "\" is ", offset, ", wanted [", transform[0], "]");
    }
    values.dtype = DType::f32;
    values.shape = {transform[0]};
  }

  void open(Context&, const Parts& parts) {
    inputs_ = parts.part(part).size();
    const std::vector<double> rows = from.numbers("transform");
    outputs_ = rows.size() / inputs_;
    columns_.resize(rows.size());
    for (size_t k = 0; k < outputs_; ++k)
      for (size_t i = 0; i < inputs_; ++i)
        columns_[i * outputs_ + k] = number("transform", rows[k * inputs_ + i]);
    offset_.assign(outputs_, 0);
    if (!from.has("offset")) return;
    const std::vector<double> offset = from.numbers("offset");
    for (size_t k = 0; k < outputs_; ++k) offset_[k] = number("offset", offset[k]);
  }

  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part(part);
    float* const y = out.f32().data();
    std::copy(offset_.begin(), offset_.end(), y);
    switch (in.dtype()) {
      case DType::f32:
        return multiply_add(in.f32().data(), columns_.data(), inputs_, outputs_, y);
      case DType::u8:
        return widened<uint8_t>(in, y);
      case DType::f64:
        return widened<double>(in, y);
      case DType::i32:
        return widened<int32_t>(in, y);
      default:
        return widened<int64_t>(in, y);
    }
  }

 private:
  float number(const char* array, double value) const {
    const auto narrow = static_cast<float>(value);
    if (!std::isfinite(narrow))
      throw Error(array, " of stage \"", from.name(), "\" holds ", value, ", which is no number of f32");
    return narrow;
  }

  // A piece at a time, on the stack.
  template <class V>
  void widened(const Tensor& in, float* y) const {
    constexpr size_t kPiece = 256;
    const auto values = in.data<V>();
    float piece[kPiece];
    for (size_t first = 0; first < inputs_; first += kPiece) {
      const size_t count = std::min(kPiece, inputs_ - first);
      for (size_t i = 0; i < count; ++i) piece[i] = static_cast<float>(values[first + i]);
      multiply_add(piece, &columns_[first * outputs_], count, outputs_, y);
    }
  }

  size_t inputs_ = 0, outputs_ = 0;
  std::vector<float> columns_, offset_;
};

}  // namespace

PLAIT_PLUGIN("plait.project", "1.0.0", "Apache-2.0", augmenter<Project>("plait.project"));
