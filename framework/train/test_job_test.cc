#include "train/test_job.h"

#include <doctest/doctest.h>
#include <plait/exact_sums.hpp>
#include <plait/sdk.hpp>
#include <plait/sdk/given_file.hpp>
#include <plait/table_text.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

#include "pipeline/load.h"
#include "train/run_folder.h"
#include "train/test_sequences.h"

namespace plait::inline train {

std::atomic<int> points_edition{0};

namespace {

struct Plane {
  int64_t units = 1;
  static void describe(sdk::Describe<Plane>& d) {
    d.doc("y = x W");
    d.field("units", &Plane::units).doc("outputs");
  }
  void infer(sdk::LayerShapes& s) const {
    s.output({s.input().shape(0), units});
    s.weight("weight", {s.input().shape(1), units}).init("uniform", -0.5, 0.5);
  }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), y = call.output().f32();
    const float* w = call.parameter(0);
    const size_t wide = static_cast<size_t>(units), n = y.size() / wide, deep = x.size() / n;
    for (size_t i = 0; i < n * wide; ++i) {
      y[i] = 0;
      for (size_t c = 0; c < deep; ++c) y[i] += x[i / wide * deep + c] * w[c * wide + i % wide];
    }
  }
  void backward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), dy = call.output_gradient().f32();
    const float* w = call.parameter(0);
    float* dw = call.parameter_gradient(0);
    const size_t wide = static_cast<size_t>(units), n = dy.size() / wide, deep = x.size() / n;
    for (size_t c = 0; dw && c < deep; ++c) {
      for (size_t u = 0; u < wide; ++u) {
        float sum = 0;
        for (size_t i = 0; i < n; ++i) sum += x[i * deep + c] * dy[i * wide + u];
        dw[c * wide + u] = sum;
      }
    }
    if (!call.input_gradient()) return;
    const auto dx = call.input_gradient().f32();
    for (size_t i = 0; i < n * deep; ++i) {
      dx[i] = 0;
      for (size_t u = 0; u < wide; ++u) dx[i] += w[i % deep * wide + u] * dy[i / deep * wide + u];
    }
  }
};

// The weight lies as [units, inputs + 1], the last column of which is padding.
struct Turned {
  int64_t units = 1;
  static void describe(sdk::Describe<Turned>& d) {
    d.doc("y = x W");
    d.field("units", &Turned::units).doc("outputs");
  }
  void infer(sdk::LayerShapes& s) const {
    s.output({s.input().shape(0), units});
    s.weight("weight", {s.input().shape(1), units}).init("uniform", -0.5, 0.5);
  }
  struct Kernel {
    size_t deep, wide;
    Kernel(const Turned& config, sdk::Context&, const sdk::LayerRequest& r, sdk::LayerNeeds& needs)
        : deep(static_cast<size_t>(r.input().shape(1))), wide(static_cast<size_t>(config.units)) {
      needs.stored_elements(0, wide * (deep + 1));
    }
    size_t at(size_t c, size_t u) const { return u * (deep + 1) + c; }
    void forward(sdk::Context&, const sdk::LayerCall& call) const {
      const auto x = call.input().f32(), y = call.output().f32();
      const float* w = call.parameter(0);
      for (size_t i = 0; i < y.size(); ++i) {
        y[i] = 0;
        for (size_t c = 0; c < deep; ++c) y[i] += x[i / wide * deep + c] * w[at(c, i % wide)];
      }
    }
    void backward(sdk::Context&, const sdk::LayerCall& call) const {
      const auto x = call.input().f32(), dy = call.output_gradient().f32();
      const size_t n = dy.size() / wide;
      if (float* dw = call.parameter_gradient(0)) {
        std::fill_n(dw, wide * (deep + 1), 0.0f);
        for (size_t c = 0; c < deep; ++c)
          for (size_t u = 0; u < wide; ++u)
            for (size_t i = 0; i < n; ++i) dw[at(c, u)] += x[i * deep + c] * dy[i * wide + u];
      }
      if (!call.input_gradient()) return;
      const auto dx = call.input_gradient().f32();
      for (size_t i = 0; i < n * deep; ++i) {
        dx[i] = 0;
        for (size_t u = 0; u < wide; ++u)
          dx[i] += call.parameter(0)[at(i % deep, u)] * dy[i / deep * wide + u];
      }
    }
    void pack(sdk::Context&, uint32_t, const float* plain, float* stored) const {
      std::fill_n(stored, wide * (deep + 1), 0.0f);
      for (size_t c = 0; c < deep; ++c)
        for (size_t u = 0; u < wide; ++u) stored[at(c, u)] = plain[c * wide + u];
    }
    void unpack(sdk::Context&, uint32_t, const float* stored, float* plain) const {
      for (size_t c = 0; c < deep; ++c)
        for (size_t u = 0; u < wide; ++u) plain[c * wide + u] = stored[at(c, u)];
    }
  };
};

struct Follow {
  static void describe(sdk::Describe<Follow>& d) { d.doc("x less a running mean"); }
  void infer(sdk::LayerShapes& s) const {
    s.output_like(0);
    s.buffer("mean", {1}).reduce(sdk::Reduce::mean64);
    s.measures_buffers();
  }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), y = call.output().f32();
    float mean = 0;
    for (float value : x) mean += value / static_cast<float>(x.size());
    float& running = call.buffer(0)[0];
    if (call.training()) running = call.measures() ? mean : running + 0.25f * (mean - running);
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] - 0.125f * call.buffer(0)[0];
  }
  void backward(sdk::Context&, const sdk::LayerCall& call) const {
    if (!call.input_gradient()) return;
    const auto dy = call.output_gradient().f32(), dx = call.input_gradient().f32();
    for (size_t i = 0; i < dx.size(); ++i) dx[i] = dy[i];
  }
};

struct Noise {
  static void describe(sdk::Describe<Noise>& d) { d.doc("adds numbers of [0, 0.1)"); }
  void infer(sdk::LayerShapes& s) const { s.output_like(0); }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), y = call.output().f32();
    for (size_t i = 0; i < x.size(); ++i) {
      y[i] = x[i] + (call.training() ? 0.1f * static_cast<float>(call.random().uniform_at(i)) : 0);
    }
  }
  void backward(sdk::Context&, const sdk::LayerCall& call) const {
    if (!call.input_gradient()) return;
    const auto dy = call.output_gradient().f32(), dx = call.input_gradient().f32();
    for (size_t i = 0; i < dx.size(); ++i) dx[i] = dy[i];
  }
};

struct Stretch {
  double base = 1;
  static void describe(sdk::Describe<Stretch>& d) {
    d.doc("channel c times base^c");
    d.field("base", &Stretch::base).doc("from one channel to the next");
  }
  void infer(sdk::LayerShapes& s) const { s.output_like(0); }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), y = call.output().f32();
    const auto channels = static_cast<size_t>(call.input().shape(-1));
    for (size_t i = 0; i < x.size(); ++i)
      y[i] =
          static_cast<float>(static_cast<double>(x[i]) * std::pow(base, static_cast<double>(i % channels)));
  }
  void backward(sdk::Context&, const sdk::LayerCall&) const { throw sdk::Error("has no backward"); }
};

struct Twice {
  static void describe(sdk::Describe<Twice>& d) { d.doc("y = 2 x"); }
  void infer(sdk::LayerShapes& s) const { s.output_like(0); }
  void needs(const sdk::LayerRequest& r, sdk::LayerNeeds& n) const {
    if (r.training()) n.saved(r.input().size() * sizeof(float));
  }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), y = call.output().f32();
    for (size_t i = 0; i < x.size(); ++i) {
      if (call.training()) call.saved<float>()[i] = 2;
      y[i] = (call.training() ? call.saved<float>()[i] : 2.0f) * x[i];
    }
  }
  void backward(sdk::Context&, const sdk::LayerCall& call) const {
    if (!call.input_gradient()) return;
    const auto dy = call.output_gradient().f32(), dx = call.input_gradient().f32();
    for (size_t i = 0; i < dx.size(); ++i) dx[i] = call.saved<float>()[i] * dy[i];
  }
};

struct Spread {
  static void describe(sdk::Describe<Spread>& d) { d.doc("y = x"); }
  void infer(sdk::LayerShapes& s) const {
    s.output_like(0);
    s.buffer("mean", {1}).reduce(sdk::Reduce::mean32);
    s.buffer("variance", {1}).reduce(sdk::Reduce::variance);
    s.measures_buffers();
  }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), y = call.output().f32();
    double mean = 0, variance = 0;
    for (const float value : x) mean += static_cast<double>(value) / static_cast<double>(x.size());
    for (const float value : x)
      variance += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean) /
                  static_cast<double>(x.size());
    if (call.training()) call.buffer(0)[0] = static_cast<float>(mean);
    if (call.training()) call.buffer(1)[0] = static_cast<float>(variance);
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i];
  }
  void backward(sdk::Context&, const sdk::LayerCall& call) const {
    if (!call.input_gradient()) return;
    const auto dy = call.output_gradient().f32(), dx = call.input_gradient().f32();
    for (size_t i = 0; i < dx.size(); ++i) dx[i] = dy[i];
  }
};

struct Squares {
  static void describe(sdk::Describe<Squares>& d) { d.doc("half the squares"); }
  void check(const sdk::LossShapes&) const {}
  void compute(sdk::Context&, const sdk::LossCall& call) const {
    const auto p = call.prediction().f32(), t = call.target().f32();
    const auto n = static_cast<double>(call.prediction().shape(0));
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const float d = p[i] - t[i];
      sum += 0.5 * static_cast<double>(d * d);
      if (call.gradient()) call.gradient().f32()[i] = d * static_cast<float>(call.gradient_scale() / n);
    }
    call.set_result(sum, n);
  }
};

struct Error {
  static constexpr sdk::MetricValue values[] = {{"error", sdk::MetricValue::kLower, "mean squared error"}};
  static void describe(sdk::Describe<Error>& d) { d.doc("mean squared error"); }
  size_t state_size(sdk::Spec, sdk::Spec) const { return 2; }
  void update(sdk::Context&, sdk::Tensor prediction, sdk::Tensor target, std::span<double> state) const {
    const auto p = prediction.f32(), t = target.f32();
    for (size_t i = 0; i < p.size(); ++i) state[0] += (p[i] - t[i]) * (p[i] - t[i]);
    state[1] += static_cast<double>(prediction.shape(0));
  }
  void finish(std::span<const double> state, std::span<double> results) const {
    results[0] = state[0] / state[1];
  }
};

struct Ordered {
  int64_t width = 2;
  static void describe(sdk::Describe<Ordered>& d) {
    d.doc("predictions and targets, in the order of the records");
    d.field("width", &Ordered::width).doc("numbers of a row").range(2, 65536);
  }
  void name_values(sdk::MetricValues& v) const {
    v.value("", sdk::MetricValue::kLower, "another one for another order");
    v.value("last", sdk::MetricValue::kHigher, "target of the last record");
    for (const std::string& name : v.class_names(1))
      v.value("class_" + name, sdk::MetricValue::kHigher, "records");
  }
  size_t row_size(sdk::Spec, sdk::Spec) const { return static_cast<size_t>(width); }
  void update_rows(sdk::Context&, sdk::Tensor prediction, sdk::Tensor target, sdk::RowsOut& rows) const {
    std::vector<double> row(rows.width());
    for (size_t n = 0; n < static_cast<size_t>(prediction.shape(0)); ++n) {
      row[0] = prediction.sample<float>(n)[0], row[1] = target.sample<float>(n)[0];
      rows.append(row);
    }
  }
  void finish_rows(std::span<const double>, sdk::RowsIn rows, std::span<double> values) const {
    values[0] = 0;
    for (size_t i = 0; i < rows.size(); ++i) values[0] = 0.75 * values[0] + rows[i][0] - rows[i][1];
    values[1] = rows[rows.size() - 1][1];
    values[2] = static_cast<double>(rows.size());
  }
};

struct Roll {
  double rate = 0.1, momentum = 0.5;
  static constexpr bool elementwise = true;
  static void describe(sdk::Describe<Roll>& d) {
    d.doc("v = momentum v + g; w -= rate v");
    d.field("rate", &Roll::rate).doc("size of a step").runtime();
    d.field("momentum", &Roll::momentum).doc("of the slot");
  }
  void slots(sdk::OptimizerSlots& s) const { s.slot("velocity"); }
  void step(sdk::Context&, const sdk::OptimizerCall& call) const {
    const auto v = call.slot(0);
    const auto now = static_cast<float>(rate);
    for (size_t i = 0; i < call.count; ++i) {
      v[i] = static_cast<float>(momentum) * v[i] + call.gradients[i];
      call.weights[i] -= now * v[i];
    }
  }
};

struct Clip {
  double rate = 0.1;
  static void describe(sdk::Describe<Clip>& d) {
    d.doc("w -= rate g / (1 + sum of all g^2)");
    d.field("rate", &Clip::rate).doc("size of a step").runtime();
  }
  double observe(sdk::Context&, const sdk::OptimizerCall& call) const {
    double sum = 0;
    for (float g : call.gradients) sum += static_cast<double>(g) * g;
    return sum;
  }
  void step(sdk::Context&, const sdk::OptimizerCall& call) const {
    const auto factor = static_cast<float>(rate / (1 + call.observed));
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= factor * call.gradients[i];
  }
};

struct Adapt {
  double rate = 0.01;
  static constexpr bool elementwise = true;
  static void describe(sdk::Describe<Adapt>& d) {
    d.doc("Adam");
    d.field("rate", &Adapt::rate).doc("size of a step").runtime();
    d.slot("mean");
    d.slot("square");
  }
  void step(sdk::Context&, const sdk::OptimizerCall& call) const {
    const auto m = call.slot(0), v = call.slot(1);
    const double t = static_cast<double>(call.updates) + 1;
    for (size_t i = 0; i < call.count; ++i) {
      const float g = call.gradients[i];
      m[i] = 0.9f * m[i] + 0.1f * g;
      v[i] = 0.99f * v[i] + 0.01f * g * g;
      const double mean = static_cast<double>(m[i]) / (1 - std::pow(0.9, t));
      const double square = static_cast<double>(v[i]) / (1 - std::pow(0.99, t));
      call.weights[i] -= static_cast<float>(rate * mean / (std::sqrt(square) + 1e-30));
    }
  }
};

struct Paced {
  double rate = 0.1;
  static constexpr bool elementwise = true;
  static void describe(sdk::Describe<Paced>& d) {
    d.doc("w -= rate g / (1 + updates)");
    d.field("rate", &Paced::rate).doc("size of a step").runtime();
  }
  void step(sdk::Context&, const sdk::OptimizerCall& call) const {
    const auto now = static_cast<float>(rate) / static_cast<float>(1 + call.updates);
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= now * call.gradients[i];
  }
};

struct Grow {
  double rate = 0.1;
  static constexpr bool plain = true;
  static void describe(sdk::Describe<Grow>& d) {
    d.doc("w_i -= rate s_i (1 + loss), s_i = s_i / 2 + g_i (1 + i) / |w|");
    d.field("rate", &Grow::rate).doc("size of a step").runtime();
  }
  void slots(sdk::OptimizerSlots& s) const { s.slot("sum").initial(0.25); }
  double observe(sdk::Context&, const sdk::OptimizerCall& call) const {
    check(call);
    return call.gradients[call.count - 1] > 0 ? 1 : 2;
  }
  void step(sdk::Context&, const sdk::OptimizerCall& call) const {
    check(call);
    double norm = 1e-3;
    for (const float w : call.weights) norm += static_cast<double>(w) * w;
    const double loss = std::isnan(call.loss) ? 0 : call.loss;
    const auto s = call.slot(0);
    for (size_t i = 0; i < call.count; ++i) {
      const double share = call.gradients[i] * static_cast<double>(1 + i) / std::sqrt(norm);
      s[i] = static_cast<float>(0.5 * static_cast<double>(s[i]) + share + 1e-3 * call.observed);
      call.weights[i] -= static_cast<float>(rate * (1 + loss) * static_cast<double>(s[i]));
    }
  }

 private:
  static void check(const sdk::OptimizerCall& call) {
    int64_t elements = 1;
    for (const int64_t extent : call.shape) elements *= extent;
    const bool is_known = call.name == "a.weight" || call.name == "b.weight";
    if (!is_known || call.shape.size() != 2 || !call.is_plain || static_cast<size_t>(elements) != call.count)
      throw sdk::Error("not a whole parameter: ", call.name, " of ", call.count, " elements");
  }
};

struct Sharp {
  double rho = 0.05, rate = 0.1;
  static constexpr bool elementwise = true;
  static void describe(sdk::Describe<Sharp>& d) {
    d.doc("w -= rate g(w + rho g / |g|)");
    d.field("rho", &Sharp::rho).doc("how far").runtime();
    d.field("rate", &Sharp::rate).doc("size of a step").runtime();
  }
  double observe(sdk::Context&, const sdk::OptimizerCall& call) const {
    double sum = 0;
    for (float g : call.gradients) sum += static_cast<double>(g) * g;
    return sum;
  }
  void move(sdk::Context&, const sdk::OptimizerCall& call) const {
    if (call.is_second || !(call.loss > 0)) throw sdk::Error("moves at the wrong time");
    const auto share = static_cast<float>(rho / std::sqrt(call.observed));
    for (size_t i = 0; i < call.count; ++i) call.weights[i] += share * call.gradients[i];
  }
  void step(sdk::Context&, const sdk::OptimizerCall& call) const {
    if (!call.is_second || !(call.loss > 0)) throw sdk::Error("steps with the first gradient");
    const auto now = static_cast<float>(rate);
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= now * call.gradients[i];
  }
};

struct MeanReducer {
  static void describe(sdk::Describe<MeanReducer>& d) {
    d.doc("mean");
    d.default_of_kind();
  }
  int weight(const sdk::ShardResult&) const { return 1; }
};

struct Middle {
  static void describe(sdk::Describe<Middle>& d) { d.doc("the median, lower of two"); }
  void combine(sdk::Context&, std::span<const float* const> deltas, sdk::Out combined) const {
    std::vector<float> column(deltas.size());
    for (size_t i = 0; i < combined.size(); ++i) {
      for (size_t k = 0; k < column.size(); ++k) column[k] = deltas[k][i];
      std::sort(column.begin(), column.end());
      combined[i] = column[(column.size() - 1) / 2];
    }
  }
};

// The mean with momentum, smaller where the whole state is large; of buffers and slots a mean with that of
// the round before.
struct Kept {
  int64_t least = 1;
  static void describe(sdk::Describe<Kept>& d) {
    d.doc("m = m / 2 + mean");
    d.field("least", &Kept::least).doc("shards that there must be");
  }
  void states(sdk::ReducerStates& s) const { s.state("before", 0.25); }
  void combine_whole(sdk::Context&, const sdk::WholeReduction& call) const {
    if (call.shards < static_cast<size_t>(least))
      throw sdk::Error("got ", call.shards, " shards, wanted ", least, " or more");
    call.average_all(call.equal_weights());
    double size = 0;
    for (const float before : call.state(0)) size += std::abs(before);
    const auto part =
        static_cast<float>(1 / (1 + size / static_cast<double>(std::max<size_t>(call.count, 1))));
    for (size_t t = 0; t < call.tensors(); ++t) {
      const sdk::ReducedTensor tensor = call.tensor(t);
      for (size_t i = tensor.first(); i < tensor.first() + tensor.count(); ++i) {
        float &before = call.state(0)[i], &now = call.combined[i];
        const float mean = now;
        now = tensor.is_parameter() ? 0.5f * before + part * mean : 0.75f * mean + 0.25f * before;
        before = tensor.is_parameter() ? now : mean;
      }
    }
  }
};

// Points of a plane with a bend.
struct Points {
  int64_t count = 96, spoilt = 1 << 30, phase = 0;
  std::vector<int64_t> bad;
  bool gone = false;
  static void describe(sdk::Describe<Points>& d) {
    d.doc("points and what a function gives for them");
    d.field("count", &Points::count).doc("records");
    d.field("bad", &Points::bad).doc("records that break their format");
    d.field("spoilt", &Points::spoilt).doc("first record that is not finite");
    d.field("phase", &Points::phase).doc("other points");
    d.field("gone", &Points::gone).doc("cannot be opened");
  }
  void open(sdk::Context&) {
    if (gone) throw sdk::NotFound("the points are not here");
  }
  sdk::SourceInfo info() const {
    sdk::SourceInfo info;
    info.count = count;
    info.parts.add("x", sdk::DType::f32, {3});
    info.parts.add("label", sdk::DType::f32, {1});
    info.random_access = true;
    return info;
  }
  std::array<uint8_t, 32> digest(sdk::Context&) const {
    return {static_cast<uint8_t>(points_edition), static_cast<uint8_t>(phase), static_cast<uint8_t>(count)};
  }
  void read(sdk::Context&, int64_t index, sdk::SampleCall& call) const {
    if (before_points_read()) before_points_read()();
    for (int64_t record : bad) {
      if (record == index) throw sdk::BadRecord("it is broken");
    }
    const auto x = call.output("x").f32();
    const auto at = static_cast<double>(index + phase * 1000);
    for (size_t i = 0; i < 3; ++i)
      x[i] = static_cast<float>(std::sin(at * 0.7 + 1.3 * static_cast<double>(i)));
    if (index >= spoilt) x[0] = std::numeric_limits<float>::infinity();
    call.output("label").f32()[0] = x[0] - 0.5f * x[1] + 0.25f * x[2] * x[2];
  }
};

// Rows of given_rows, whatever the file.
struct Given {
  std::string file, part = "rows";
  static void describe(sdk::Describe<Given>& d) {
    d.doc("rows of numbers");
    d.field("file", &Given::file).doc("a file that nobody opens").path().required();
    d.field("part", &Given::part).doc("name of the part");
  }
  void open(sdk::Context&) {
    if (given_rows().empty()) throw sdk::CorruptFile(file, ": has no rows");
  }
  sdk::SourceInfo info() const {
    sdk::SourceInfo info;
    info.count = static_cast<int64_t>(given_rows().size());
    info.parts.add(part, sdk::DType::f32, {static_cast<int64_t>(given_rows().front().size())});
    return info;
  }
  void read(sdk::Context&, int64_t index, sdk::SampleCall& call) const {
    const std::vector<float>& row = given_rows()[static_cast<size_t>(index)];
    for (const float value : row)
      if (!std::isfinite(value)) throw sdk::BadRecord(file, ": record ", index, " is not finite");
    std::ranges::copy(row, call.output(part).f32().begin());
  }
};
constexpr const char* kGivenEndings[] = {".given"};
constexpr sdk::GivenFiles kGivenFiles = {.endings = kGivenEndings, .file = "file", .part = "part"};

struct Level {
  bool strict = false;
  static void describe(sdk::Describe<Level>& d) {
    d.doc("x less its mean, over its spread");
    d.field("strict", &Level::strict).doc("what is not finite is no sample to learn from");
  }
  size_t fit_size(const sdk::Parts&) const { return 7; }
  void fit_observe(sdk::Context&, sdk::SampleCall& call, std::span<double> state) const {
    const auto x = call.input("x").f32();
    if (strict && !std::isfinite(x[0])) throw sdk::Error("x is ", x[0]);
    state[0] += 1;
    for (size_t i = 0; i < 3; ++i) {
      state[1 + i] += 1e-3 * static_cast<double>(x[i]);
      state[4 + i] += static_cast<double>(x[i]) * static_cast<double>(x[i]) / 3;
    }
  }
  void open(sdk::Context& c, const sdk::Parts&) {
    if (c.fit().size() != 7 || c.fit()[0] == 0) throw sdk::Error("there was no pass over the data");
    for (size_t i = 0; i < 3; ++i) {
      mean_[i] = 1e3 * c.fit()[1 + i] / c.fit()[0];
      spread_[i] = std::sqrt(std::max(1e-9, 3 * c.fit()[4 + i] / c.fit()[0] - mean_[i] * mean_[i]));
    }
  }
  void apply(sdk::Context&, sdk::SampleCall& call) const {
    const auto [from, to] = call.part("x");
    for (size_t i = 0; i < 3; ++i)
      to.f32()[i] = static_cast<float>((static_cast<double>(from.f32()[i]) - mean_[i]) / spread_[i]);
  }

 private:
  double mean_[3] = {}, spread_[3] = {};
};

// Memory of `far` is known by addresses that are off by a fixed number: who touches it directly is caught.
template <bool kHostMemory>
struct Memory {
  static void describe(sdk::Describe<Memory>& d) {
    d.doc("memory");
    if (kHostMemory) d.default_of_kind();
  }
  sdk::DeviceInfo open(sdk::Context&) { return {.name = "memory", .host_memory = kHostMemory}; }
  void* allocate(sdk::Context&, uint64_t bytes) { return std::aligned_alloc(64, (bytes + 63) / 64 * 64); }
  void release(void* memory) { std::free(memory); }
  void* stream_create(sdk::Context&) { return this; }
  void stream_destroy(void*) {}
  void copy_in(sdk::Context&, void* to, const void* from, uint64_t bytes) { std::memcpy(to, from, bytes); }
  void copy_out(sdk::Context&, void* to, const void* from, uint64_t bytes) { std::memcpy(to, from, bytes); }
  void copy(sdk::Context&, void* to, const void* from, uint64_t bytes) { std::memcpy(to, from, bytes); }
  void fill_zero(sdk::Context&, void* memory, uint64_t bytes) { std::memset(memory, 0, bytes); }
  void add_f32(sdk::Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(sdk::Context&) {}
};

// Brings the arithmetic of the exact mean. It counts the bytes that come out of it.
struct Adding : Memory<false> {
  static void describe(sdk::Describe<Adding>& d) { d.doc("memory that adds exactly"); }
  void copy_out(sdk::Context&, void* to, const void* from, uint64_t bytes) {
    adding_bytes_out += static_cast<int64_t>(bytes);
    std::memcpy(to, from, bytes);
  }
  void add_to_sums(sdk::Context&, const plait_exact_sums& sums, const float* x, const float* before,
                   int32_t weight, uint32_t* not_finite) {
    for (uint64_t i = 0; i < sums.count; ++i) {
      const float value = before != nullptr ? sdk::exact::difference(x[i], before[i]) : x[i];
      if (!sdk::exact::is_finite(value))
        *not_finite = 1;
      else if (sums.is_wide != 0)
        sdk::exact::add(sdk::exact::Sums<int64_t>(sums), i, value, weight);
      else
        sdk::exact::add(sdk::exact::Sums<int32_t>(sums), i, value, weight);
    }
  }
  void mean_of_sums(sdk::Context&, const plait_exact_sums& sums, double total_weight, float* out) {
    for (uint64_t i = 0; i < sums.count; ++i)
      out[i] = sums.is_wide != 0 ? sdk::exact::mean(sdk::exact::Sums<int64_t>(sums), i, total_weight)
                                 : sdk::exact::mean(sdk::exact::Sums<int32_t>(sums), i, total_weight);
  }
};

// Falls to 0 at the last step.
struct Fade {
  static void describe(sdk::Describe<Fade>& d) { d.doc("along a line to 0"); }
  double value(const sdk::ScheduleCall& call) const { return call.base * (1 - call.progress()); }
};

struct HalfLater {
  static void describe(sdk::Describe<HalfLater>& d) { d.doc("half of it after 10 steps"); }
  double value(const sdk::ScheduleCall& call) const { return call.step < 10 ? call.base : call.base / 2; }
  bool ignores_total() const { return true; }
};

struct Watch {
  std::string value_name;
  static void describe(sdk::Describe<Watch>& d) {
    d.doc("half of it after each validation that is not the best");
    d.field("monitor", &Watch::value_name).doc("what is looked at");
  }
  const char* monitor() const { return value_name.c_str(); }
  double value(const sdk::ScheduleCall& call) const {
    sdk::BestSoFar best;
    double now = call.base;
    for (size_t i = 0; i < call.evaluations.size(); ++i) {
      if (call.evaluations[i].step > call.step) throw sdk::Error("a validation of later");
      if (!best.take(call.evaluations[i])) now /= 2;
    }
    return now;
  }
  bool ignores_total() const { return true; }
};

struct Tire {
  int64_t after = 2;
  static void describe(sdk::Describe<Tire>& d) {
    d.doc("ends training after so many validations");
    d.field("after", &Tire::after).doc("validations");
  }
  bool stop(const sdk::ScheduleCall& call) const {
    // Of both values of a validation, since it monitors none.
    return static_cast<int64_t>(call.evaluations.size()) >= 2 * after;
  }
  bool ignores_total() const { return true; }
};

struct Listed {
  std::vector<double> factors;
  static void describe(sdk::Describe<Listed>& d) {
    d.doc("one factor an epoch");
    d.field("factors", &Listed::factors).doc("of the value");
  }
  double value(const sdk::ScheduleCall& call) const {
    const auto epoch = static_cast<size_t>(call.epoch());
    return call.base * factors[std::min(epoch, factors.size() - 1)];
  }
  bool ignores_total() const { return true; }
};

struct Again {
  int64_t stages = 2;
  static void describe(sdk::Describe<Again>& d) {
    d.doc("the first layer gives back its input");
    d.field("stages", &Again::stages).doc("how often");
  }
  void next_stage(const sdk::Network& network, int stage, sdk::StageBuilder& builder) const {
    if (stage >= stages) return;
    builder.begin("again " + std::to_string(stage));
    builder.copy(network[0]);
    builder.layer("back", {std::string(network[0].name())}, sdk::Block("plait.plane").set("units", 3));
    builder.loss("back", "x", sdk::Block("plait.squares"));
    builder.steps(8);
  }
};

void as_it_is(std::string_view bytes, std::string& to) { to += bytes; }

struct Columns {
  static constexpr const char* endings[] = {".csv"};
  static constexpr bool table = true;
  static void describe(sdk::Describe<Columns>& d) { d.doc("a table with commas"); }
  void write_arrays(sdk::Context&, const sdk::SinkArrays& arrays, sdk::ByteWriter& out) const {
    sdk::write_table(arrays, {',', &as_it_is}, out);
  }
};

}  // namespace

std::atomic<int64_t> adding_bytes_out = 0;

std::vector<std::vector<float>>& given_rows() {
  static std::vector<std::vector<float>> rows;
  return rows;
}

std::function<void()>& before_points_read() {
  static std::function<void()> hook;
  return hook;
}

const Registry& train_registry() {
  static const sdk::PluginTable table(
      "test.train", "1", "none", sdk::layer<Plane>("plait.plane"), sdk::layer<Turned>("plait.turned"),
      sdk::layer<Follow>("plait.follow"), sdk::layer<Noise>("plait.noise"),
      sdk::layer<Stretch>("plait.stretch"), sdk::layer<Twice>("plait.twice"),
      sdk::layer<Spread>("plait.spread"), sdk::loss<Squares>("plait.squares"),
      sdk::metric<Error>("plait.error"), sdk::metric<Ordered>("plait.ordered"),
      sdk::reducer<Kept>("plait.kept"), sdk::optimizer<Roll>("plait.roll"),
      sdk::optimizer<Clip>("plait.clip"), sdk::optimizer<Adapt>("plait.adapt"),
      sdk::optimizer<Paced>("plait.paced"), sdk::optimizer<Grow>("plait.grow"),
      sdk::optimizer<Sharp>("plait.sharp"), sdk::reducer<MeanReducer>("plait.mean"),
      sdk::reducer<Middle>("plait.middle"), sdk::source<Points>("plait.points"),
      sdk::opens_files<kGivenFiles>(sdk::source<Given>("plait.given")), sdk::sink<Columns>("plait.columns"),
      sdk::augmenter<Level>("plait.level"), sdk::device<Memory<true>>("plait.near"),
      sdk::device<Memory<false>>("plait.far"), sdk::device<Adding>("plait.adding"),
      sdk::pretrainer<Again>("plait.again"), sdk::schedule<Fade>("plait.fade"),
      sdk::schedule<HalfLater>("plait.halve"), sdk::schedule<Watch>("plait.watch"),
      sdk::schedule<Tire>("plait.tire"), sdk::schedule<Listed>("plait.listed"),
      sdk::source<test_sequences::Words>("plait.words"), sdk::layer<test_sequences::Carry>("plait.carry"),
      sdk::layer<test_sequences::Last>("plait.last"));
  const auto on = [](const char* device) {
    return sdk::PluginTable(
        device, "1", "none", sdk::implementation<Plane>("plait.plane", device),
        sdk::implementation<Turned>("plait.turned", device),
        sdk::implementation<Follow>("plait.follow", device),
        sdk::implementation<Noise>("plait.noise", device),
        sdk::implementation<Stretch>("plait.stretch", device),
        sdk::implementation<Twice>("plait.twice", device),
        sdk::implementation<Spread>("plait.spread", device),
        sdk::implementation<test_sequences::Carry>("plait.carry", device),
        sdk::implementation<test_sequences::Last>("plait.last", device),
        sdk::implementation<Squares>("plait.squares", device),
        sdk::implementation<Roll>("plait.roll", device), sdk::implementation<Clip>("plait.clip", device),
        sdk::implementation<Adapt>("plait.adapt", device), sdk::implementation<Paced>("plait.paced", device),
        sdk::implementation<Grow>("plait.grow", device), sdk::implementation<Sharp>("plait.sharp", device));
  };
  static const sdk::PluginTable near = on("plait.near"), far = on("plait.far"), adding = on("plait.adding");
  static const Result<Registry> loaded = Registry::from_plugins({table.c(), near.c(), far.c(), adding.c()});
  REQUIRE_MESSAGE(loaded.is_ok(), loaded.status().message());
  return *loaded;
}

Job train_job(const std::string& train, const std::string& more) {
  const std::string source = more.find("source {") == std::string::npos ? "source { points {} }\n" : "";
  const std::string optimizer = more.starts_with("optimizer {") ? "" : "optimizer { roll {} }\n";
  auto job =
      parse_job(train_registry(),
                source + optimizer +
                    "validation { points { phase: 1 count: 21 } } test { points { phase: 2 count: 21 } }\n"
                    "layer { name: \"a\" input: \"x\" plane { units: 4 } }\n"
                    "layer { name: \"m\" follow {} }\nlayer { name: \"n\" noise {} }\n"
                    "layer { name: \"b\" plane { units: 1 } }\n"
                    "loss { input: \"b\" target: \"label\" squares {} }\n"
                    "metric { input: \"b\" target: \"label\" error {} }\n"
                    "evaluate { batch: 8 }\ntrain { " +
                    train + " }\n" + more,
                "toy");
  REQUIRE_MESSAGE(job.is_ok(), job.status().message());
  return std::move(job).value();
}

Job sequence_job(const std::string& train, const std::string& more) {
  auto job = parse_job(train_registry(),
                       "source { words {} } optimizer { roll {} }\n"
                       "validation { words { phase: 1 count: 21 } } test { words { phase: 2 count: 21 } }\n"
                       "layer { name: \"c\" input: \"x\" carry {} }\nlayer { name: \"l\" last {} }\n"
                       "layer { name: \"b\" plane { units: 1 } }\n"
                       "loss { input: \"b\" target: \"label\" squares {} }\n"
                       "metric { input: \"b\" target: \"label\" error {} }\n"
                       "evaluate { batch: 4 }\ntrain { " +
                           train + " }\n" + more,
                       "toy");
  REQUIRE_MESSAGE(job.is_ok(), job.status().message());
  return std::move(job).value();
}

Result<Summary> TestWorld::run(const Job& job, int ranks, int threads, RunOptions options) {
  options.threads = threads;
  if (options.run_dir.empty()) options.run_dir = "run";
  auto world = make_local_world(ranks);
  std::vector<Result<Summary>> results(static_cast<size_t>(ranks),
                                       Result<Summary>(Code::kPeer, "did not run"));
  std::vector<std::thread> peers;
  const auto run_rank = [&](size_t rank) {
    // A thread of its own: transports belong to the thread that uses them. Dropping it frees waiting peers.
    const std::unique_ptr<LocalTransport> transport = std::move(world[rank]);
    results[rank] = run_job(train_registry(), job, options, *transport, clock, files, observer, stop);
  };
  for (size_t rank = 1; rank < results.size(); ++rank) peers.emplace_back(run_rank, rank);
  run_rank(0);
  for (std::thread& peer : peers) peer.join();
  for (size_t rank = 1; rank < results.size(); ++rank) CHECK(results[rank].is_ok() == results[0].is_ok());
  return results[0];
}

NamedTensors TestWorld::weights(const std::string& which) {
  const std::string path = weights_path("run", which);
  auto bytes = files.read(path);
  REQUIRE_MESSAGE(bytes.is_ok(), bytes.status().message());
  auto tensors = from_safetensors(*bytes, path);
  REQUIRE(tensors.is_ok());
  return std::move(tensors).value();
}

}  // namespace plait::inline train
