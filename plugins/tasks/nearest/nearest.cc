// The rows of a stage's array that each record is nearest to.
#include <plait/sdk.hpp>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "rows.h"

using namespace plait::sdk;
using plait::nearest::Near;
using plait::nearest::Rows;

namespace {

enum class Metric { euclidean, cosine };

constexpr size_t kRecordsAtOnce = 64;  // between two looks whether to stop

struct Nearest {
  std::string part = "image";
  StageOutput from;
  std::string array = "centres";
  int64_t k = 1;
  Metric metric = Metric::euclidean;
  bool distance = true;

  static void describe(Describe<Nearest>& d) {
    d.doc("for each record the rows of a stage's array that it is nearest to, such as centres of kmeans");
    d.details(
        "Records: a part of f32, f64, u8, i32 or i64 of any fixed shape; its D elements are a vector x.\n"
        "The stage's array: [R, ...], R rows r of D elements each.\n"
        "Outputs, a row a record, in the order of the records: index i64 [k], the numbers of the k nearest "
        "rows, the nearest first,\n"
        "of several as near the lowest; distance f64 [k], where it is wanted: euclidean |x - r|, cosine "
        "1 - x r / (|x| |r|), 0 to 2.\n"
        "All rows are looked at, in f64: R D products a record. Outputs beyond the stage's memory are kept in a "
        "file meanwhile.\n"
        "Fails with kNumeric for elements that are not finite and, by cosine, for a record or a row of "
        "length 0.");
    d.field("part", &Nearest::part).doc("part of the records that holds the vector");
    d.field("from", &Nearest::from).doc("stage that makes the rows").required();
    d.field("array", &Nearest::array).doc("of that stage");
    d.field("k", &Nearest::k).doc("how many of the nearest").range(1, 65536).unit("rows");
    d.field("metric", &Nearest::metric).doc("what near means").choices({"euclidean", "cosine"});
    d.field("distance", &Nearest::distance).doc("whether distances are told beside the numbers");
  }

  static void examples(Examples& e) {
    e.add("from: \"s\"")
        .input(DType::u8, {2, 1, 1}, "image")
        .stage("s", "centres", {3, 2}, {0, 0, 1, 1, 0.5, 3});
    e.add("part: \"x\" from: \"s\" array: \"rows\" k: 2 metric: cosine")
        .input(DType::f32, {3}, "x")
        .stage("s", "rows", {3, 3}, {1, 0, 0.5, -1, 2, 0, 0.5, 0.5, 0.5});
    e.add("part: \"x\" from: \"s\" array: \"rows\" k: 9 distance: false")
        .input(DType::i64, {1}, "x")
        .stage("s", "rows", {9, 1}, {1, 5, 2, 7, 3, 3, 8, -1, 0});
  }

  void infer(const Parts& parts, Accumulators& a) const {
    const PartSpec& values = parts.part(part);
    const bool is_half = values.dtype == DType::f16 || values.dtype == DType::bf16;
    const size_t d = values.size();
    if (is_half || values.variable_axis >= 0 || d == 0)
      throw Error("part \"", part, "\" is ", name_of(values.dtype), std::span<const int64_t>(values.shape),
                  values.variable_axis >= 0 ? " with a variable axis" : "",
                  ", wanted f32, f64, u8, i32 or i64 of a fixed shape");
    const auto shape = from.shape(array);
    if (shape.size() < 2 || PartSpec(array, values.dtype, {shape.begin() + 1, shape.end()}).size() != d)
      throw Error(array, " of stage \"", from.name(), "\" is ", shape, ", wanted rows of the ", d,
                  " elements of part \"", part, "\"");
    if (shape[0] >= 0) check_rows(shape[0]);  // else only the stage's run can tell
    a.rows("index", DType::i64, {k});
    if (distance) a.rows("distance", DType::f64, {k});
  }

  void open(Context&, const Parts& parts) {
    d_ = parts.part(part).size();
    std::vector<double> rows = from.numbers(array);
    const size_t count = rows.size() / d_;
    check_rows(static_cast<int64_t>(count));
    for (size_t r = 0; r < count; ++r)
      check_vector(&rows[r * d_], [&] { return name_of_row(static_cast<int64_t>(r)); });
    rows_ = std::make_unique<Rows>(
        std::move(rows), d_, metric == Metric::cosine ? Rows::Metric::kCosine : Rows::Metric::kEuclidean);
  }

  void map(Context& c, const Records& records, Accumulated& out) const {
    const Tensor values = records.part(part);
    std::vector<double> vectors(kRecordsAtOnce * d_), distances;
    std::vector<int64_t> indices;
    std::vector<Near> near;
    for (size_t first = 0; first < records.size(); first += kRecordsAtOnce) {
      c.stop_if_cancelled();
      const size_t count = std::min(kRecordsAtOnce, records.size() - first);
      widen(values, first * d_, count * d_, vectors.data());
      for (size_t r = 0; r < count; ++r)
        check_vector(&vectors[r * d_], [&] {
          return "record " + std::to_string(records.first() + static_cast<int64_t>(first + r));
        });
      rows_->nearest(vectors.data(), count, static_cast<size_t>(k), near);
      indices.clear(), distances.clear();
      for (const Near& one : near) {
        indices.push_back(one.row);
        distances.push_back(one.distance);
      }
      out.append("index", std::span<const int64_t>(indices));
      if (distance) out.append("distance", std::span<const double>(distances));
    }
  }

 private:
  void check_rows(int64_t count) const {
    if (count < k)
      throw Error(array, " of stage \"", from.name(), "\" has ", count, " rows, wanted at least k, ", k);
  }
  std::string name_of_row(int64_t row) const {
    return "row " + std::to_string(row) + " of " + array + " of stage \"" + from.name() + "\"";
  }
  template <class Name>
  void check_vector(const double* vector, const Name& name) const {
    bool has_length = false;
    for (size_t i = 0; i < d_; ++i) {
      if (!std::isfinite(vector[i])) throw NumericError("element ", i, " of ", name(), " is ", vector[i]);
      has_length = has_length || vector[i] != 0;
    }
    if (metric == Metric::cosine && !has_length)
      throw NumericError(name(), " has length 0, and so no angle to others");
  }

  static void widen(const Tensor& values, size_t first, size_t count, double* to) {
    const auto copy = [&](auto from) {
      std::copy_n(from.begin() + static_cast<ptrdiff_t>(first), count, to);
    };
    switch (values.dtype()) {
      case DType::f32:
        return copy(values.data<float>());
      case DType::f64:
        return copy(values.data<double>());
      case DType::u8:
        return copy(values.data<uint8_t>());
      case DType::i32:
        return copy(values.data<int32_t>());
      default: {
        const auto from = values.data<int64_t>().subspan(first, count);
        for (size_t i = 0; i < count; ++i) to[i] = static_cast<double>(from[i]);
      }
    }
  }

  size_t d_ = 0;
  std::unique_ptr<Rows> rows_;
};

}  // namespace

PLAIT_PLUGIN("plait.nearest", "1.0.0", "Apache-2.0", task<Nearest>("plait.nearest"));
