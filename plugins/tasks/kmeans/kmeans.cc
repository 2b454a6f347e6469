// Centres of clusters, so that records are near to the nearest one.
#include <plait/finite_records.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nearest.h"

using namespace plait::sdk;
using namespace plait::kmeans;

namespace {

// Twice as far away, squared. Differences are rounded to f32, so that squares are off by 2^-23 at most.
constexpr double kFarther = 4.00001;

struct KMeans {
  std::string part = "image";
  int64_t k = 10;
  int64_t iterations = 25;
  double tolerance = 0;
  int64_t sample = 65536;

  static void describe(Describe<KMeans>& d) {
    d.doc("k centres of clusters, such that the squared distances of the records to the nearest are small");
    d.details(
        "Records: a part of f32, f64, u8, i32 or i64 of any fixed shape; its d elements, as f32, are a "
        "vector.\n"
        "Outputs: centres f32 [k, d]; count i64 [k], the records that are nearest to each; inertia f64 [], "
        "the "
        "sum of all records'\n"
        "squared distances to the nearest centre. Count and inertia are those of the centres that come out.\n"
        "The first pass over the records takes a sample, from which k-means++ draws the start (Arthur, "
        "Vassilvitskii 2007); each\n"
        "later one moves every centre to the mean of its records (Lloyd 1982), and the last one only "
        "measures. "
        "That is up to\n"
        "iterations + 2 passes, which the stage's passes must allow. It ends sooner when no centre moves, or "
        "by tolerance. Of\n"
        "centres as near, the lowest; a centre without records stays. Nearness is compared in f32 and, where "
        "that is too close, in f64; sums are f64.\n"
        "Fails with kInvalid for a sample of fewer records than k; with kNumeric for elements that are not "
        "finite, and for centres\n"
        "and records whose squared distances leave the range of f32.");
    d.field("part", &KMeans::part).doc("part of the records that holds the vector");
    d.field("k", &KMeans::k).doc("number of centres").range(1, 65536);
    d.field("iterations", &KMeans::iterations)
        .doc("how often the centres move at most; 0: they are the start")
        .range(0, 1e6);
    d.field("tolerance", &KMeans::tolerance)
        .doc("ends when the inertia falls by less than this share of itself; 0: never")
        .range(0, 1);
    d.field("sample", &KMeans::sample)
        .doc(
            "records, evenly spread, that the start is drawn from; they are in memory at once, and k squared "
            "distances are taken of each by one thread")
        .range(1, 1 << 24)
        .unit("records");
  }

  static void examples(Examples& e) {
    e.add("k: 3").input(DType::u8, {5, 4, 1}, "image");
    e.add("part: \"x\" k: 2 iterations: 0 tolerance: 0.01 sample: 4").input(DType::f32, {9}, "x");
  }

  void validate() const {
    if (sample < k)
      throw Error("the start is drawn from a sample of ", sample, " records, wanted at least k, ", k);
  }

  void infer(const Parts& parts, Accumulators& a) const {
    const PartSpec& values = parts.part(part);
    const bool is_half = values.dtype == DType::f16 || values.dtype == DType::bf16;
    const auto d = static_cast<int64_t>(values.size());
    if (is_half || values.variable_axis >= 0 || d == 0)
      throw Error("part \"", part, "\" is ", name_of(values.dtype), std::span<const int64_t>(values.shape),
                  values.variable_axis >= 0 ? " with a variable axis" : "",
                  ", wanted f32, f64, u8, i32 or i64 of a fixed shape");
    a.rows("sample", DType::f32, {d});
    a.sum("sum", {k, d});
    a.count("count", {k});
    a.sum("inertia");
    a.state("centres", DType::f32, {k, d});
    a.state("inertia", DType::f64);
    a.output("centres", DType::f32, {k, d});
    a.output("count", DType::i64, {k});
    a.output("inertia", DType::f64);
  }

  void open(Context& c, const Parts& parts) {
    d_ = parts.part(part).size();
    if (const auto stage = stage_of(c)) check_stage(*stage);
  }

  void map(Context& c, const Records& records, Accumulated& out) const {
    if (out.pass() == 0) want_finite(records, part);
    std::vector<float> vectors(records.size() * d_);
    to_f32(records.part(part), vectors.data());
    if (out.pass() == 0) return take_sample(records, vectors, out);
    const auto centres = out.state<float>("centres");
    const auto sum = out.data("sum"), inertia = out.data("inertia");
    const auto count = out.data<int64_t>("count");
    std::vector<uint32_t> nearest(records.size());
    const auto laid_out = lay_out(centres);
    c.stop_if_cancelled();
    laid_out->nearest(vectors.data(), records.size(), nearest.data());
    for (size_t r = 0; r < records.size(); ++r) {
      const float* const vector = &vectors[r * d_];
      const size_t centre = nearest[r];
      ++count[centre];
      const double distance = squared_distance(vector, &centres[centre * d_], d_);
      if (distance > kLargest) refuse_distance(distance, {vector, d_});
      inertia[0] += distance;
      double* const sums = &sum[centre * d_];
      for (size_t i = 0; i < d_; ++i) sums[i] += vector[i];
    }
  }

  bool finish(Context& c, Pass& pass) const {
    if (pass.number() == 0) {
      draw_start(c, pass);
      check_spread(pass.state<float>("centres"));
      return true;
    }
    const double inertia = pass.accumulated("inertia")[0];
    const double before = pass.state<double>("inertia")[0];
    // Rounding may let it rise a little near the end.
    const bool is_settled = tolerance > 0 && pass.number() > 1 && before - inertia < tolerance * before;
    if (pass.number() <= iterations && !is_settled && move_centres(pass)) {
      check_spread(pass.state<float>("centres"));
      pass.state<double>("inertia")[0] = inertia;
      return true;
    }
    std::ranges::copy(pass.state<float>("centres"), pass.output<float>("centres").begin());
    std::ranges::copy(pass.accumulated<int64_t>("count"), pass.output<int64_t>("count").begin());
    pass.output<double>("inertia")[0] = inertia;
    return false;
  }

 private:
  // Known before the first pass, and told then.
  void check_stage(const plait_task_stage& stage) const {
    if (stage.records > 0 && stage.records < k)
      throw Error("the stage has ", stage.records, " records, wanted at least k, ", k);
  }

  // Where f32, in which nearness is compared, has room for products of two such lengths.
  static constexpr double kLargest = 0x1p124;    // squared
  static constexpr double kSmallest = 0x1p-100;  // squared, of one element: above what is no normal number

  // Elements that are not finite are told of where they are summed.
  static void refuse_distance(double distance, std::span<const float> vector) {
    if (!std::ranges::all_of(vector, [](float x) { return std::isfinite(x); })) return;
    throw NumericError("a record's squared distance from its centre is ", distance, ", wanted at most ",
                       kLargest, ": beyond it f32 cannot compare distances; scale the records");
  }

  // The greatest squared distance of a centre from the mean of all.
  void check_spread(std::span<const float> centres) const {
    std::vector<double> mean(d_);
    for (size_t i = 0; i < centres.size(); ++i) mean[i % d_] += centres[i];
    for (double& value : mean) value /= static_cast<double>(k);
    double spread = 0;
    for (size_t first = 0; first < centres.size(); first += d_) {
      double square = 0;
      for (size_t i = 0; i < d_; ++i)
        square += (centres[first + i] - mean[i]) * (centres[first + i] - mean[i]);
      spread = std::max(spread, square);
    }
    const double least = kSmallest * static_cast<double>(d_);
    if (spread == 0 || (spread >= least && spread <= kLargest)) return;
    throw NumericError("the centres' squared distances from their mean are at most ", spread, ", wanted ",
                       least, " to ", kLargest,
                       ": beyond them f32 cannot compare distances; scale the records");
  }

  // Where i sample / total reaches another integer: sample records of total, or all.
  void take_sample(const Records& records, const std::vector<float>& vectors, Accumulated& out) const {
    const int64_t total = std::max<int64_t>(1, out.total());
    for (size_t r = 0; r < records.size(); ++r) {
      const int64_t record = records.first() + static_cast<int64_t>(r);
      if (record == 0 || record * sample / total != (record - 1) * sample / total)
        out.append("sample", std::span<const float>(&vectors[r * d_], d_));
    }
  }

  // The same for all calls of a pass: laid out by the first.
  std::shared_ptr<const Centres> lay_out(std::span<const float> centres) const {
    const std::lock_guard lock(layout_->mutex);
    if (!layout_->last || !layout_->last->are(centres))
      layout_->last = std::make_shared<const Centres>(centres, static_cast<size_t>(k), d_);
    return layout_->last;
  }

  void draw_start(Context& c, Pass& pass) const {
    const auto from = pass.accumulated<float>("sample");
    const auto centres = pass.state<float>("centres");
    const size_t size = from.size() / d_;
    if (size < static_cast<size_t>(k))
      throw Error("the sample has ", size, " records, wanted at least k, ", k);
    Random random = pass.random();
    std::vector<double> distances(size, std::numeric_limits<double>::infinity());
    std::vector<uint32_t> nearest(size);  // the centre at that distance
    std::vector<double> between(static_cast<size_t>(k));
    for (size_t centre = 0; centre < static_cast<size_t>(k); ++centre) {
      c.stop_if_cancelled();
      const size_t next = centre == 0 ? random.integer(static_cast<uint32_t>(size)) : draw(distances, random);
      std::ranges::copy(from.subspan(next * d_, d_), &centres[centre * d_]);
      const float* const drawn = &centres[centre * d_];
      for (size_t c1 = 0; c1 < centre; ++c1) between[c1] = squared_distance(&centres[c1 * d_], drawn, d_);
      for (size_t r = 0; r < size; ++r) {
        // By the triangle inequality the drawn one is no nearer (Elkan 2003); a little is left for rounding.
        if (centre > 0 && between[nearest[r]] > kFarther * distances[r]) continue;
        const double distance = squared_distance(&from[r * d_], drawn, d_);
        if (!(distance < distances[r])) continue;
        distances[r] = distance;
        nearest[r] = static_cast<uint32_t>(centre);
      }
    }
  }

  // A place, each as likely as its distance is large; any, where all are 0.
  static size_t draw(const std::vector<double>& distances, Random& random) {
    double total = 0;
    for (const double distance : distances) total += distance;
    if (!(total > 0)) return random.integer(static_cast<uint32_t>(distances.size()));
    const double high = random.uniform();  // of 32 bits, which leave gaps among many
    double left = (high + random.uniform() * 0x1p-32) * total;
    size_t last = 0;  // whose distance is not 0: rounding may leave a little after it
    for (size_t r = 0; r < distances.size(); ++r) {
      if (!(distances[r] > 0)) continue;
      last = r;
      if ((left -= distances[r]) < 0) break;
    }
    return last;
  }

  // To the means of their records; false where none moves.
  bool move_centres(Pass& pass) const {
    const auto centres = pass.state<float>("centres");
    const auto sum = pass.accumulated("sum");
    const auto count = pass.accumulated<int64_t>("count");
    bool has_moved = false;
    for (size_t i = 0; i < centres.size(); ++i) {
      if (count[i / d_] == 0) continue;
      const auto mean = static_cast<float>(sum[i] / static_cast<double>(count[i / d_]));
      has_moved = has_moved || mean != centres[i];
      centres[i] = mean;
    }
    return has_moved;
  }

  struct Layout {
    std::mutex mutex;
    std::shared_ptr<const Centres> last;
  };
  size_t d_ = 0;
  std::unique_ptr<Layout> layout_ = std::make_unique<Layout>();
};

}  // namespace

PLAIT_PLUGIN("plait.kmeans", "1.0.0", "Apache-2.0", task<KMeans>("plait.kmeans"));
