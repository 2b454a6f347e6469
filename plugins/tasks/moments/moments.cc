// Mean, deviation, extremes and covariance of the elements of records.
#include <plait/finite_records.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "column_sums.h"
#include "products.h"

using namespace plait::sdk;
using namespace plait::moments;

namespace {

enum class Per { element, channel };

constexpr size_t kMost_covariances = 8192;  // numbers, of which there are products of any two
constexpr size_t kStrip = 2048;             // columns whose sums stay near the processor

__extension__ typedef __int128 Wide;  // records * sum of squares

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Values as a matrix whose rows are whole samples of the n numbers, side by side while they are few.
struct Layout {
  Layout(size_t values, size_t numbers)
      : width(numbers * std::max<size_t>(1, std::min(values, kStrip) / numbers)),
        rows(values / width),
        rest(values % width) {}
  size_t width, rows, rest;  // of the last row, which is shorter
};

struct Moments {
  std::string part = "image";
  Per per = Per::element;
  bool covariance = false;

  static void describe(Describe<Moments>& d) {
    d.doc("mean, deviation, least and greatest value, and covariance, over all records");
    d.details(
        "Records: a part of f32, f64, u8, i32 or i64. Per element each of its n elements is a number of its "
        "own, seen once in a\n"
        "record; per channel each of the n places of the last axis is, and all other axes count as samples.\n"
        "Outputs f64: mean, deviation, minimum, maximum, each [n] in the order of the elements; covariance "
        "[n, n] where asked.\n"
        "Over N samples: deviation = sqrt(sum (x - mean)^2 / N), covariance = sum (x - mean)(y - mean) / N: "
        "of "
        "the population,\n"
        "not estimates by N - 1. Of u8 in one pass over the records, in integers, so that only the last step "
        "rounds; of others in\n"
        "two: the mean, then squares about it, corrected by what the mean was off (the corrected two-pass "
        "algorithm of\n"
        "Chan, Golub, LeVeque 1983).\n"
        "Fails with kNumeric for an element that is not finite. Covariance takes 8 n^2 bytes several times "
        "over.");
    d.field("part", &Moments::part).doc("part of the records that holds the numbers");
    d.field("per", &Moments::per).doc("what has a mean of its own").choices({"element", "channel"});
    d.field("covariance", &Moments::covariance).doc("also the covariance of any two, for n up to 8192");
  }

  static void examples(Examples& e) {
    e.add().input(DType::u8, {5, 4, 1}, "image");
    e.add("per: channel covariance: true").input(DType::f32, {4, 4, 3}, "image");
    e.add("part: \"x\" covariance: true").input(DType::i64, {7}, "x");
  }

  void infer(const Parts& parts, Accumulators& a) const {
    const PartSpec& values = checked(parts);
    const auto n = static_cast<int64_t>(numbers_of(values));
    a.minimum("minimum", {n});
    a.maximum("maximum", {n});
    if (values.dtype == DType::u8) {
      a.count("sum", {n});
      a.count("square", {n});
      if (covariance) a.count("product", {triangle_of(n)});
    } else {
      a.sum("sum", {n});  // in the second pass of x - mean
      a.sum("square", {n});
      if (covariance) a.sum("product", {triangle_of(n)});
      for (const char* kept : {"mean", "minimum", "maximum"}) a.state(kept, DType::f64, {n});
    }
    for (const char* made : {"mean", "deviation", "minimum", "maximum"}) a.output(made, DType::f64, {n});
    if (covariance) a.output("covariance", DType::f64, {n, n});
  }

  void open(Context&, const Parts& parts) {
    const PartSpec& values = checked(parts);
    n_ = numbers_of(values);
    samples_ = values.size() / n_;
    is_bytes_ = values.dtype == DType::u8;
  }

  void map(Context& c, const Records& records, Accumulated& out) const {
    const Tensor values = records.part(part);
    if (out.pass() == 0) want_finite(records, part);
    if (is_bytes_)
      add_up_bytes(values, out);
    else if (out.pass() == 0)
      add_up(values, out);
    else
      add_up_centred(values, out);
    if (!covariance || (!is_bytes_ && out.pass() == 0)) return;
    for (size_t row = 0; row < values.size() / n_; row += kRows) {
      c.stop_if_cancelled();
      multiply(values, row, std::min(kRows, values.size() / n_ - row), out);
    }
  }

  bool finish(Context&, Pass& pass) const {
    if (pass.records() == 0) throw Error("there is no record to take a mean of");
    if (is_bytes_) return finish_bytes(pass), false;
    const double count = static_cast<double>(pass.records()) * static_cast<double>(samples_);
    if (pass.number() > 0) return finish_centred(pass, count), false;
    const auto mean = pass.state<double>("mean");
    std::ranges::copy(pass.accumulated("sum"), mean.begin());
    for (double& value : mean) value /= count;
    std::ranges::copy(pass.accumulated("minimum"), pass.state<double>("minimum").begin());
    std::ranges::copy(pass.accumulated("maximum"), pass.state<double>("maximum").begin());
    return true;
  }

 private:
  static int64_t triangle_of(int64_t n) {
    return static_cast<int64_t>(triangle_size(static_cast<size_t>(n)));
  }
  size_t numbers_of(const PartSpec& spec) const {
    if (per == Per::element) return spec.size();
    return spec.shape.empty() ? 1 : static_cast<size_t>(spec.shape.back());
  }
  const PartSpec& checked(const Parts& parts) const {
    const PartSpec& values = parts.part(part);
    const auto refuse = [&](const auto&... wanted) {
      throw Error("part \"", part, "\" is ", name_of(values.dtype), std::span<const int64_t>(values.shape),
                  wanted...);
    };
    if (values.dtype == DType::f16 || values.dtype == DType::bf16)
      refuse(", wanted f32, f64, u8, i32 or i64");
    if (values.variable_axis >= 0)
      refuse(" with axis ", values.variable_axis, " variable, wanted a fixed shape");
    if (values.size() == 0) refuse(", wanted at least one element");
    if (const size_t n = numbers_of(values); covariance && n > kMost_covariances)
      refuse(", whose covariance is of ", n, " numbers, wanted at most ", kMost_covariances);
    return values;
  }

  // body(first value, rows, stride, columns, first column) for the strips of the layout.
  template <class Body>
  static void each_strip(const Layout& layout, size_t most_rows, const Body& body) {
    for (size_t column = 0; column < layout.width; column += kStrip) {
      const size_t columns = std::min(kStrip, layout.width - column);
      for (size_t row = 0; row < layout.rows; row += most_rows)
        body(row * layout.width + column, std::min(most_rows, layout.rows - row), layout.width, columns,
             column);
    }
    // The rest is shorter than a strip, as rows are one sample each beyond that.
    if (layout.rest > 0) body(layout.rows * layout.width, 1, layout.rest, layout.rest, 0);
  }

  void add_up_bytes(const Tensor& values, Accumulated& out) const {
    const auto sum = out.data<int64_t>("sum"), square = out.data<int64_t>("square");
    const auto minimum = out.data("minimum"), maximum = out.data("maximum");
    const uint8_t* const bytes = values.data<uint8_t>().data();
    std::vector<uint32_t> sums(kStrip), squares(kStrip);
    std::vector<uint8_t> low(kStrip), high(kStrip);
    each_strip({values.size(), n_}, kMost_byte_rows,
               [&](size_t first, size_t rows, size_t stride, size_t columns, size_t column) {
                 std::ranges::fill(sums, 0);
                 std::ranges::fill(squares, 0);
                 std::ranges::fill(low, 255);
                 std::ranges::fill(high, 0);
                 add_bytes(bytes + first, rows, stride, columns, sums.data(), squares.data(), low.data(),
                           high.data());
                 for (size_t i = 0; i < columns; ++i) {
                   const size_t number = (column + i) % n_;
                   sum[number] += sums[i];
                   square[number] += squares[i];
                   minimum[number] = std::min<double>(minimum[number], low[i]);
                   maximum[number] = std::max<double>(maximum[number], high[i]);
                 }
               });
  }

  void add_up(const Tensor& values, Accumulated& out) const {
    const auto sum = out.data("sum"), minimum = out.data("minimum"), maximum = out.data("maximum");
    std::vector<double> row(kStrip), sums(kStrip), low(kStrip), high(kStrip);
    each_strip({values.size(), n_}, values.size(),
               [&](size_t first, size_t rows, size_t stride, size_t columns, size_t column) {
                 std::ranges::fill(sums, 0);
                 std::ranges::fill(low, kInfinity);
                 std::ranges::fill(high, -kInfinity);
                 for (size_t r = 0; r < rows; ++r) {
                   widen(values, first + r * stride, columns, row.data());
                   add_row(row.data(), columns, sums.data(), low.data(), high.data());
                 }
                 for (size_t i = 0; i < columns; ++i) {
                   const size_t number = (column + i) % n_;
                   sum[number] += sums[i];
                   minimum[number] = std::min(minimum[number], low[i]);
                   maximum[number] = std::max(maximum[number], high[i]);
                 }
               });
  }

  void add_up_centred(const Tensor& values, Accumulated& out) const {
    const auto sum = out.data("sum"), square = out.data("square");
    const auto mean = out.state<double>("mean");
    std::vector<double> row(kStrip), means(kStrip), sums(kStrip), squares(kStrip);
    each_strip({values.size(), n_}, values.size(),
               [&](size_t first, size_t rows, size_t stride, size_t columns, size_t column) {
                 std::ranges::fill(sums, 0);
                 std::ranges::fill(squares, 0);
                 for (size_t i = 0; i < columns; ++i) means[i] = mean[(column + i) % n_];
                 for (size_t r = 0; r < rows; ++r) {
                   widen(values, first + r * stride, columns, row.data());
                   add_centred_row(row.data(), means.data(), columns, sums.data(), squares.data());
                 }
                 for (size_t i = 0; i < columns; ++i) {
                   sum[(column + i) % n_] += sums[i];
                   square[(column + i) % n_] += squares[i];
                 }
               });
  }

  void multiply(const Tensor& values, size_t first_row, size_t rows, Accumulated& out) const {
    if (is_bytes_) {
      const auto bytes = values.data<uint8_t>().subspan(first_row * n_, rows * n_);
      const std::vector<float> exact(bytes.begin(), bytes.end());
      return add_products(exact.data(), rows, n_, out.data<int64_t>("product").data());
    }
    std::vector<double> centred(rows * n_);
    widen(values, first_row * n_, centred.size(), centred.data());
    const auto mean = out.state<double>("mean");
    for (size_t r = 0; r < rows; ++r)
      for (size_t i = 0; i < n_; ++i) centred[r * n_ + i] -= mean[i];
    add_products(centred.data(), rows, n_, out.data("product").data());
  }

  void finish_bytes(Pass& pass) const {
    const auto sum = pass.accumulated<int64_t>("sum"), square = pass.accumulated<int64_t>("square");
    const auto mean = pass.output<double>("mean"), deviation = pass.output<double>("deviation");
    const Wide count = Wide{pass.records()} * static_cast<int64_t>(samples_);
    const auto real_count = static_cast<double>(count);
    // (N sum x y - sum x sum y) / N^2 without rounding before the division.
    const auto over_squared = [&](int64_t products, int64_t x, int64_t y) {
      return static_cast<double>(count * products - Wide{x} * y) / real_count / real_count;
    };
    for (size_t i = 0; i < n_; ++i) {
      mean[i] = static_cast<double>(sum[i]) / real_count;
      deviation[i] = std::sqrt(over_squared(square[i], sum[i], sum[i]));
    }
    copy_extremes(pass, pass.accumulated("minimum"), pass.accumulated("maximum"));
    if (!covariance) return;
    const auto product = pass.accumulated<int64_t>("product");
    mirror(pass, [&](size_t i, size_t j) {
      return over_squared(product[triangle_place(n_, i, j)], sum[i], sum[j]);
    });
  }

  void finish_centred(Pass& pass, double count) const {
    const auto off = pass.accumulated("sum"), square = pass.accumulated("square");
    const auto mean = pass.output<double>("mean"), deviation = pass.output<double>("deviation");
    const auto first = pass.state<double>("mean");
    // Of equal values what is left is a rounding error, of either sign.
    const auto variance = [&](size_t i) {
      return std::max(0.0, (square[i] - off[i] * off[i] / count) / count);
    };
    for (size_t i = 0; i < n_; ++i) {
      mean[i] = first[i] + off[i] / count;
      deviation[i] = std::sqrt(variance(i));
    }
    copy_extremes(pass, pass.state<double>("minimum"), pass.state<double>("maximum"));
    if (!covariance) return;
    const auto product = pass.accumulated("product");
    mirror(pass, [&](size_t i, size_t j) {
      if (i == j) return variance(i);
      return (product[triangle_place(n_, i, j)] - off[i] * off[j] / count) / count;
    });
  }

  static void copy_extremes(Pass& pass, std::span<const double> minimum, std::span<const double> maximum) {
    std::ranges::copy(minimum, pass.output<double>("minimum").begin());
    std::ranges::copy(maximum, pass.output<double>("maximum").begin());
  }
  template <class Covariance>
  void mirror(Pass& pass, const Covariance& covariance_of) const {
    const auto all = pass.output<double>("covariance");
    for (size_t i = 0; i < n_; ++i)
      for (size_t j = i; j < n_; ++j) all[i * n_ + j] = all[j * n_ + i] = covariance_of(i, j);
  }

  size_t n_ = 0;        // numbers
  size_t samples_ = 0;  // of each, in a record
  bool is_bytes_ = false;
};

}  // namespace

PLAIT_PLUGIN("plait.moments", "1.0.0", "Apache-2.0", task<Moments>("plait.moments"));
