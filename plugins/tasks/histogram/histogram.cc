// Counts how many elements of records lie in each of some intervals.
#include <plait/sdk.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

using namespace plait::sdk;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Histogram {
  std::string part = "image";
  int64_t bins = 256;
  double low = 0;
  double high = 256;

  static void describe(Describe<Histogram>& d) {
    d.doc("how many elements lie in each of some intervals of equal width");
    d.details(
        "Records: a part of f32, f64, u8, i32 or i64 of any fixed shape; all its elements are counted.\n"
        "Outputs, of one row more at both ends so that nothing is left out: low_edge f64 [bins + 2], "
        "high_edge "
        "f64 [bins + 2],\n"
        "count i64 [bins + 2]. Row 0 counts what lies below low, from -infinity on; the last row what is "
        "high "
        "or above; row i\n"
        "what is at least its low_edge and below its high_edge, where edge i is low + (high - low) i / bins, "
        "rounded.\n"
        "Fails with kNumeric for an element that is not a number, naming the record; an infinite one is "
        "counted.");
    d.field("part", &Histogram::part).doc("part of the records that holds the numbers");
    d.field("bins", &Histogram::bins).doc("intervals between low and high").range(1, 65536);
    d.field("low", &Histogram::low).doc("where the first interval begins").range(-3.4e38, 3.4e38);
    d.field("high", &Histogram::high).doc("where the last interval ends, above low").range(-3.4e38, 3.4e38);
  }

  static void examples(Examples& e) {
    e.add().input(DType::u8, {5, 4, 1}, "image");
    e.add("part: \"x\" bins: 7 low: -1 high: 1").input(DType::f32, {9}, "x");
  }

  void validate() const {
    if (!(low < high) || !std::isfinite(high - low))
      throw Error("low is ", low, " and high ", high, ", wanted low below high, and both finite");
    const std::vector<double> all = edges();
    if (std::ranges::adjacent_find(all, std::greater_equal<>()) != all.end())
      throw Error("the bins from ", low, " to ", high, " are too narrow to have different edges in f64, ",
                  bins, " of them");
  }

  void infer(const Parts& parts, Accumulators& a) const {
    const PartSpec& values = parts.part(part);
    const bool is_half = values.dtype == DType::f16 || values.dtype == DType::bf16;
    if (is_half || values.variable_axis >= 0)
      throw Error("part \"", part, "\" is ", name_of(values.dtype), std::span<const int64_t>(values.shape),
                  values.variable_axis >= 0 ? " with a variable axis" : "",
                  ", wanted f32, f64, u8, i32 or i64 of a fixed shape");
    a.count("count", {bins + 2});
    a.output("low_edge", DType::f64, {bins + 2});
    a.output("high_edge", DType::f64, {bins + 2});
    a.output("count", DType::i64, {bins + 2});
  }

  void open(Context&, const Parts&) {
    edges_ = edges();
    for (size_t byte = 0; byte < 256; ++byte) row_of_byte_[byte] = row_of(static_cast<double>(byte));
  }

  void map(Context&, const Records& records, Accumulated& out) const {
    const Tensor values = records.part(part);
    const auto count = out.data<int64_t>("count");
    switch (values.dtype()) {
      case DType::f32:
        return add_up(values.data<float>(), records, count);
      case DType::f64:
        return add_up(values.data<double>(), records, count);
      case DType::i32:
        return add_up(values.data<int32_t>(), records, count);
      case DType::i64:
        return add_up(values.data<int64_t>(), records, count);
      default:
        return add_up_bytes(values.data<uint8_t>(), count);
    }
  }

  bool finish(Context&, Pass& pass) const {
    const auto from = pass.output<double>("low_edge"), to = pass.output<double>("high_edge");
    std::ranges::copy(edges_, from.begin() + 1);
    std::ranges::copy(edges_, to.begin());
    from.front() = -kInfinity;
    to.back() = kInfinity;
    std::ranges::copy(pass.accumulated<int64_t>("count"), pass.output<int64_t>("count").begin());
    return false;
  }

 private:
  std::vector<double> edges() const {
    std::vector<double> all;
    for (int64_t i = 0; i <= bins; ++i)
      all.push_back(i == bins ? high
                              : low + (high - low) * (static_cast<double>(i) / static_cast<double>(bins)));
    return all;
  }

  // Of a number. The row that arithmetic says is one of two where rounding matters; the edges decide.
  size_t row_of(double value) const {
    if (value < low) return 0;
    if (value >= high) return static_cast<size_t>(bins) + 1;
    const auto guess = static_cast<int64_t>((value - low) / (high - low) * static_cast<double>(bins));
    auto bin = static_cast<size_t>(std::min(guess, bins - 1));
    while (value < edges_[bin]) --bin;
    while (value >= edges_[bin + 1]) ++bin;
    return bin + 1;
  }

  template <class V>
  void add_up(std::span<V> values, const Records& records, std::span<int64_t> count) const {
    for (size_t i = 0; i < values.size(); ++i) {
      const auto value = static_cast<double>(values[i]);
      if (std::isnan(value)) refuse(i / (values.size() / records.size()), records);
      ++count[row_of(value)];
    }
  }
  [[noreturn]] void refuse(size_t place, const Records& records) const {
    throw Error(ErrorCode::kNumeric, "record ", records.first() + static_cast<int64_t>(place),
                " has an element in part \"", part, "\" that is not a number");
  }

  // In turns into several counts: adding to the one that was just stored would wait for it.
  void add_up_bytes(std::span<const uint8_t> values, std::span<int64_t> count) const {
    std::array<std::array<int64_t, 256>, 4> turns{};
    size_t i = 0;
    for (; i + 4 <= values.size(); i += 4)
      for (size_t turn = 0; turn < 4; ++turn) ++turns[turn][values[i + turn]];
    for (; i < values.size(); ++i) ++turns[0][values[i]];
    for (size_t byte = 0; byte < 256; ++byte)
      for (const auto& turn : turns) count[row_of_byte_[byte]] += turn[byte];
  }

  std::vector<double> edges_;  // [bins + 1]
  std::array<size_t, 256> row_of_byte_{};
};

}  // namespace

PLAIT_PLUGIN("plait.histogram", "1.0.0", "Apache-2.0", task<Histogram>("plait.histogram"));
