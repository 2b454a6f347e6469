// Principal components of records, and the linear maps that whiten by them.
#include <plait/finite_records.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "directions.h"

using namespace plait::sdk;
using namespace plait::pca;

namespace {

enum class Whiten { none, pca, zca };

constexpr size_t kMost = 2048;         // elements, of which there are products of any two
constexpr size_t kRecordsAtOnce = 16;  // whose products are added to a row of them while it is near

size_t triangle_size(size_t d) { return d * (d + 1) / 2; }
// Where the products of element i begin, less i: + j for j >= i.
size_t triangle_row(size_t d, size_t i) { return i * d - i * (i - 1) / 2 - i; }

PLAIT_FAST void add_products(const double* centred, size_t records, size_t d, double* products) {
  for (size_t i = 0; i < d; ++i) {
    double* const row = products + (i == 0 ? 0 : triangle_row(d, i));
    for (size_t r = 0; r < records; ++r) {
      const double* const x = centred + r * d;
      const double value = x[i];
      for (size_t j = i; j < d; ++j) row[j] += value * x[j];
    }
  }
}

struct Pca {
  std::string part = "image";
  int64_t components = 0;
  Whiten whiten = Whiten::none;
  double epsilon = 0;

  static void describe(Describe<Pca>& d) {
    d.doc("principal components: the directions in which records differ most, and maps that whiten by them");
    d.details(
        "Records: a part of f32, f64, u8, i32 or i64 of any fixed shape of up to 2048 elements, x of D "
        "numbers. K is components, or D.\n"
        "Outputs f64: mean [D]; variance [K], of the population, falling; components [K, D], rows of length "
        "1 that are at right\n"
        "angles, with their element of greatest magnitude positive; total [], the variance in all D "
        "directions; transform and offset for the\n"
        "augmenter project: whiten none: components; pca: each over sqrt(variance + epsilon) (K outputs of "
        "variance about 1, unrelated);\n"
        "zca: these turned back, [D, D], the whitening that changes x least (Bell, Sejnowski 1997). offset = "
        "-transform mean.\n"
        "Two passes over the records: the mean, then products about it, corrected by what it was off; then "
        "the eigenvectors of\n"
        "a symmetric matrix (Eigen), on one thread: of 784 elements a second, of 2048 half a minute.\n"
        "Fails with kNumeric for elements that are not finite, and for a direction without variance that is "
        "to be whitened by epsilon 0: one\n"
        "whose variance is no more than the D 2^-52 of the largest that rounding leaves.");
    d.field("part", &Pca::part).doc("part of the records that holds the vector");
    d.field("components", &Pca::components).doc("how many, K; 0: all").range(0, kMost);
    d.field("whiten", &Pca::whiten).doc("what transform does beside turning").choices({"none", "pca", "zca"});
    d.field("epsilon", &Pca::epsilon)
        .doc("added to each variance before whitening, in the square of the records' unit")
        .range(0, 1e30);
  }

  static void examples(Examples& e) {
    e.add().input(DType::u8, {3, 2, 1}, "image");
    e.add("part: \"x\" components: 2 whiten: pca epsilon: 0.5").input(DType::f32, {5}, "x");
    e.add("part: \"x\" components: 3 whiten: zca epsilon: 1").input(DType::i64, {4}, "x");
  }

  void infer(const Parts& parts, Accumulators& a) const {
    const PartSpec& values = checked(parts);
    const auto d = static_cast<int64_t>(values.size()), k = components == 0 ? d : components;
    a.sum("sum", {d});  // in the second pass of x - mean
    a.sum("product", {static_cast<int64_t>(triangle_size(static_cast<size_t>(d)))});
    a.state("mean", DType::f64, {d});
    const int64_t outputs = whiten == Whiten::zca ? d : k;
    a.output("mean", DType::f64, {d});
    a.output("variance", DType::f64, {k});
    a.output("components", DType::f64, {k, d});
    a.output("total", DType::f64);
    a.output("transform", DType::f64, {outputs, d});
    a.output("offset", DType::f64, {outputs});
  }

  void open(Context&, const Parts& parts) {
    d_ = checked(parts).size();
    k_ = components == 0 ? d_ : static_cast<size_t>(components);
  }

  void map(Context& c, const Records& records, Accumulated& out) const {
    const Tensor values = records.part(part);
    if (out.pass() == 0) want_finite(records, part);
    const auto sum = out.data("sum");
    const auto mean = out.state<double>("mean");
    std::vector<double> centred(kRecordsAtOnce * d_);
    for (size_t first = 0; first < records.size(); first += kRecordsAtOnce) {
      c.stop_if_cancelled();
      const size_t count = std::min(kRecordsAtOnce, records.size() - first);
      for (size_t r = 0; r < count; ++r) {
        widen(values, first + r, &centred[r * d_]);
        for (size_t i = 0; i < d_; ++i) sum[i] += centred[r * d_ + i] -= mean[i];
      }
      if (out.pass() > 0) add_products(centred.data(), count, d_, out.data("product").data());
    }
  }

  bool finish(Context& c, Pass& pass) const {
    if (pass.records() == 0) throw Error("there is no record to take a mean of");
    const auto count = static_cast<double>(pass.records());
    const auto sum = pass.accumulated("sum");
    if (pass.number() == 0) {
      const auto mean = pass.state<double>("mean");
      for (size_t i = 0; i < d_; ++i) mean[i] = sum[i] / count;
      return true;
    }
    const auto mean = pass.output<double>("mean");
    for (size_t i = 0; i < d_; ++i) mean[i] = pass.state<double>("mean")[i] + sum[i] / count;
    const auto product = pass.accumulated("product");
    std::vector<double> covariance(d_ * d_);
    for (size_t i = 0; i < d_; ++i)
      for (size_t j = i; j < d_; ++j)
        covariance[i * d_ + j] = covariance[j * d_ + i] =
            (product[(i == 0 ? 0 : triangle_row(d_, i)) + j] - sum[i] * sum[j] / count) / count;
    double total = 0;
    for (size_t i = 0; i < d_; ++i) total += covariance[i * d_ + i];
    pass.output<double>("total")[0] = total;
    c.stop_if_cancelled();
    const auto variance = pass.output<double>("variance"), rows = pass.output<double>("components");
    main_directions(covariance, d_, variance, rows);
    make_transform(pass, variance, rows, mean);
    return false;
  }

 private:
  const PartSpec& checked(const Parts& parts) const {
    const PartSpec& values = parts.part(part);
    const bool is_half = values.dtype == DType::f16 || values.dtype == DType::bf16;
    const size_t d = values.size();
    if (is_half || values.variable_axis >= 0 || d == 0 || d > kMost)
      throw Error("part \"", part, "\" is ", name_of(values.dtype), std::span<const int64_t>(values.shape),
                  values.variable_axis >= 0 ? " with a variable axis" : "",
                  ", wanted f32, f64, u8, i32 or i64 of a fixed shape of 1 to ", kMost, " elements");
    if (components > static_cast<int64_t>(d))
      throw Error("got ", components, " components of ", d, " elements of part \"", part, "\"");
    return values;
  }

  void widen(const Tensor& values, size_t record, double* to) const {
    switch (values.dtype()) {
      case DType::f32:
        return copy<float>(values, record, to);
      case DType::f64:
        return copy<double>(values, record, to);
      case DType::u8:
        return copy<uint8_t>(values, record, to);
      case DType::i32:
        return copy<int32_t>(values, record, to);
      default:
        return copy<int64_t>(values, record, to);
    }
  }
  template <class V>
  void copy(const Tensor& values, size_t record, double* to) const {
    const auto from = values.sample<V>(record);
    for (size_t i = 0; i < d_; ++i) to[i] = static_cast<double>(from[i]);
  }

  void make_transform(Pass& pass, std::span<const double> variance, std::span<const double> rows,
                      std::span<const double> mean) const {
    const auto transform = pass.output<double>("transform"), offset = pass.output<double>("offset");
    std::vector<double> scale(k_, 1);
    // The error of an eigenvalue: the matrix's rounding, and as much of the solver (Golub, Van Loan).
    const double rounding = static_cast<double>(d_) * 0x1p-52 * variance[0];
    for (size_t k = 0; k < k_ && whiten != Whiten::none; ++k) {
      if (epsilon == 0 && !(variance[k] > rounding))
        throw NumericError("component ", k, " has no variance to whiten by: ", variance[k],
                           " where rounding leaves up to ", rounding,
                           "; wanted an epsilon above 0, or fewer components");
      const double wide = variance[k] + epsilon;
      scale[k] = 1 / std::sqrt(wide);
    }
    std::ranges::fill(transform, 0);
    for (size_t k = 0; k < k_; ++k) {
      const double* const row = &rows[k * d_];
      if (whiten != Whiten::zca) {
        for (size_t i = 0; i < d_; ++i) transform[k * d_ + i] = scale[k] * row[i];
        continue;
      }
      for (size_t i = 0; i < d_; ++i)
        for (size_t j = 0; j < d_; ++j) transform[i * d_ + j] += scale[k] * (row[i] * row[j]);
    }
    for (size_t at = 0; at < offset.size(); ++at) {
      offset[at] = 0;
      for (size_t i = 0; i < d_; ++i) offset[at] -= transform[at * d_ + i] * mean[i];
    }
  }

  size_t d_ = 0, k_ = 0;
};

}  // namespace

PLAIT_PLUGIN("plait.pca", "1.0.0", "Apache-2.0", task<Pca>("plait.pca"));
