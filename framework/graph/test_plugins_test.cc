#include "graph/test_plugins.h"

#include <doctest/doctest.h>
#include <plait/sdk.hpp>

#include <xmmintrin.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <thread>

#include "graph/arena.h"
#include "pipeline/load.h"

namespace plait::inline graph {
namespace {

std::atomic<int> optimizer_steps, prepares, far_copies, far_augments;

void sleep_ms(int64_t ms) {
  if (ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

struct Scale {
  static constexpr bool two_axes = true;
  double initial = 1;
  std::string fail;
  int64_t wait_ms = 0, sleep = 0;
  bool stain = false, noise = false;

  static void describe(sdk::Describe<Scale>& d) {
    d.doc("weight x");
    d.field("initial", &Scale::initial).doc("first value of the weight");
    d.field("fail", &Scale::fail).doc("where it fails");
    d.field("wait_ms", &Scale::wait_ms).doc("time before it fails");
    d.field("sleep_ms", &Scale::sleep).doc("time that forward takes");
    d.field("stain", &Scale::stain).doc("leaves rounding changed");
    d.field("noise", &Scale::noise).doc("adds random numbers");
  }
  void infer(sdk::LayerShapes& s) const {
    s.output_like(0).dtype = sdk::DType::f32;
    s.weight("weight", {1}).init("constant", initial);
  }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    sleep_ms(sleep);
    may_fail("forward");
    if (fail == "throw") throw 1;
    const auto x = call.input().f32(), y = call.output().f32();
    for (size_t i = 0; i < x.size(); ++i) {
      y[i] = call.parameter(0)[0] * x[i];
      if (noise) y[i] += static_cast<float>(call.random().uniform_at(i));
    }
    if (stain) _mm_setcsr(_mm_getcsr() | 0x6000);  // towards zero
  }
  void backward(sdk::Context&, const sdk::LayerCall& call) const {
    may_fail("backward");
    const auto x = call.input().f32(), dy = call.output_gradient().f32();
    float sum = 0;
    for (size_t i = 0; i < x.size(); ++i) sum += x[i] * dy[i];
    if (call.parameter_gradient(0)) call.parameter_gradient(0)[0] = sum;
    if (!call.input_gradient()) return;
    const auto dx = call.input_gradient().f32();
    for (size_t i = 0; i < x.size(); ++i) dx[i] = call.parameter(0)[0] * dy[i];
  }

 private:
  void may_fail(const char* where) const {
    if (fail != where) return;
    sleep_ms(wait_ms);
    throw sdk::Error("asked to fail in ", where);
  }
};

struct Shadow {
  static void describe(sdk::Describe<Shadow>& d) { d.doc("weight x with a prepared copy"); }
  void infer(sdk::LayerShapes& s) const {
    s.output_like(0);
    s.weight("weight", {1}).init("constant", 1);
  }
  void needs(const sdk::LayerRequest&, sdk::LayerNeeds& n) const { n.prepared(sizeof(float)); }
  void prepare(sdk::Context&, const sdk::LayerCall& call) const {
    ++prepares;
    *call.prepared<float>() = call.parameter(0)[0];
  }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), y = call.output().f32();
    for (size_t i = 0; i < x.size(); ++i) y[i] = *call.prepared<float>() * x[i];
  }
  void backward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), dy = call.output_gradient().f32();
    float sum = 0;
    for (size_t i = 0; i < x.size(); ++i) sum += x[i] * dy[i];
    call.parameter_gradient(0)[0] = sum;
    if (!call.input_gradient()) return;
    const auto dx = call.input_gradient().f32();
    for (size_t i = 0; i < x.size(); ++i) dx[i] = *call.prepared<float>() * dy[i];
  }
};

struct Sum {
  static constexpr uint32_t min_inputs = 1, max_inputs = sdk::kAnyInputs;
  static void describe(sdk::Describe<Sum>& d) { d.doc("sum of the inputs"); }
  void infer(sdk::LayerShapes& s) const { s.output_like(0); }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto y = call.output().f32();
    for (size_t i = 0; i < y.size(); ++i) {
      y[i] = 0;
      for (size_t input = 0; input < call.inputs(); ++input) y[i] += call.input(input).f32()[i];
    }
  }
  void backward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto dy = call.output_gradient().f32();
    for (size_t input = 0; input < call.inputs(); ++input) {
      if (!call.input_gradient(input)) continue;
      const auto dx = call.input_gradient(input).f32();
      for (size_t i = 0; i < dy.size(); ++i) dx[i] = dy[i];
    }
  }
};

struct Split {
  static void describe(sdk::Describe<Split>& d) { d.doc("x and 2 x"); }
  void infer(sdk::LayerShapes& s) const {
    s.output_like(0);
    s.output_like(0);
  }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), y = call.output(0).f32(), z = call.output(1).f32();
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i], z[i] = 2 * x[i];
  }
  void backward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto dy = call.output_gradient(0).f32(), dz = call.output_gradient(1).f32(),
               dx = call.input_gradient().f32();
    for (size_t i = 0; i < dx.size(); ++i) dx[i] = dy[i] + 2 * dz[i];
  }
};

struct Loop {
  static void describe(sdk::Describe<Loop>& d) { d.doc("x in many pieces"); }
  void forward(sdk::Context& c, sdk::In x, sdk::Out y) const {
    c.parallel_for(x.size(), 1, [&](uint64_t i) { y[i] = x[i]; });
  }
  void backward(sdk::Context& c, sdk::In x, sdk::In dy, sdk::Out dx) const {
    c.parallel_for(x.size(), 1, [&](uint64_t i) { dx[i] = dy[i]; });
  }
};

struct Squares {
  static constexpr bool two_axes = true;
  static void describe(sdk::Describe<Squares>& d) { d.doc("half the sum of squares"); }
  void check(const sdk::LossShapes&) const {}
  void compute(sdk::Context&, const sdk::LossCall& call) const {
    const auto p = call.prediction().f32(), t = call.target().f32();
    const size_t wide = p.size() / t.size();
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      if (t[i / wide] < 0) call.bad_target(static_cast<int64_t>(i / wide));
      const float d = p[i] - t[i / wide];
      sum += 0.5 * static_cast<double>(d * d);
      if (call.gradient()) {
        call.gradient().f32()[i] =
            d * static_cast<float>(call.gradient_scale() / static_cast<double>(t.size()));
      }
    }
    call.set_result(sum, static_cast<double>(t.size()));
  }
};

struct Descend {
  double rate = 0.5;
  int64_t slots_wanted = 0;
  static constexpr bool elementwise = true;
  static void describe(sdk::Describe<Descend>& d) {
    d.doc("w -= rate g");
    d.field("rate", &Descend::rate).doc("size of a step").runtime();
    d.field("slots", &Descend::slots_wanted).doc("slots that begin as 3");
  }
  void slots(sdk::OptimizerSlots& s) const {
    if (slots_wanted > 0) s.slot("three").initial(3);
  }
  void step(sdk::Context&, const sdk::OptimizerCall& call) const {
    ++optimizer_steps;
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= static_cast<float>(rate) * call.gradients[i];
  }
};

struct Clip {
  double rate = 1;
  static void describe(sdk::Describe<Clip>& d) {
    d.doc("w -= rate g / (1 + sum of g^2)");
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

struct Climb {
  double rate = 0.5;
  bool fail = false;
  static constexpr bool elementwise = true;
  static void describe(sdk::Describe<Climb>& d) {
    d.doc("w -= rate g(w + g)");
    d.field("rate", &Climb::rate).doc("size of a step").runtime();
    d.field("fail", &Climb::fail).doc("fails in move");
    d.slot("losses");
  }
  void move(sdk::Context&, const sdk::OptimizerCall& call) const {
    if (fail) throw sdk::Error("asked to fail in move");
    if (call.is_second) throw sdk::Error("moves twice");
    for (size_t i = 0; i < call.count; ++i) call.weights[i] += call.gradients[i];
  }
  void step(sdk::Context&, const sdk::OptimizerCall& call) const {
    if (!call.is_second) throw sdk::Error("steps with the first gradient");
    for (size_t i = 0; i < call.count; ++i) {
      call.weights[i] -= static_cast<float>(rate) * call.gradients[i];
      call.slot(0)[i] += static_cast<float>(call.loss);
    }
  }
};

struct Polyak {
  static void describe(sdk::Describe<Polyak>& d) { d.doc("w -= loss / (sum of all g^2) g"); }
  double observe(sdk::Context&, const sdk::OptimizerCall& call) const {
    double sum = 0;
    for (float g : call.gradients) sum += static_cast<double>(g) * g;
    return sum;
  }
  void step(sdk::Context&, const sdk::OptimizerCall& call) const {
    const auto factor = static_cast<float>(call.loss / call.observed);
    for (size_t i = 0; i < call.count; ++i) call.weights[i] -= factor * call.gradients[i];
  }
};

struct Halve {
  static void describe(sdk::Describe<Halve>& d) { d.doc("base / 2^step"); }
  double value(const sdk::ScheduleCall& call) const {
    return std::ldexp(call.base, -static_cast<int>(call.step));
  }
};

struct MeanReducer {
  static void describe(sdk::Describe<MeanReducer>& d) {
    d.doc("mean");
    d.default_of_kind();
  }
  int weight(const sdk::ShardResult&) const { return 1; }
};

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
  void copy_in(sdk::Context&, void* to, const void* from, uint64_t bytes) { move(to, from, bytes); }
  void copy_out(sdk::Context&, void* to, const void* from, uint64_t bytes) { move(to, from, bytes); }
  void copy(sdk::Context&, void* to, const void* from, uint64_t bytes) { move(to, from, bytes); }
  void fill_zero(sdk::Context&, void* memory, uint64_t bytes) { std::memset(memory, 0, bytes); }
  void add_f32(sdk::Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(sdk::Context&) {}

 private:
  static void move(void* to, const void* from, uint64_t bytes) {
    if (!kHostMemory) ++far_copies;
    std::memcpy(to, from, bytes);
  }
};

struct Counter {
  int64_t count = 100, long_bound = 8;
  std::vector<int64_t> bad;
  bool blocking = false, in_order = false, long_parts = false;
  static void describe(sdk::Describe<Counter>& d) {
    d.doc("numbered records");
    d.field("count", &Counter::count).doc("records");
    d.field("bad", &Counter::bad).doc("records that break their format");
    d.field("blocking", &Counter::blocking).doc("reading may wait");
    d.field("in_order", &Counter::in_order).doc("no random access");
    d.field("long_parts", &Counter::long_parts).doc("a part of variable extent");
    d.field("long_bound", &Counter::long_bound).doc("its bound");
  }
  void open(sdk::Context&) {}
  sdk::SourceInfo info() const {
    sdk::SourceInfo info;
    info.count = count;
    info.parts.add("image", sdk::DType::u8, {4});
    info.parts.add("label", sdk::DType::f32, {});
    if (long_parts) info.parts.add("text", sdk::DType::i32, {long_bound}, 0);
    info.blocking = blocking;
    info.random_access = !in_order;
    info.block = in_order ? 10 : 0;
    return info;
  }
  void read(sdk::Context&, int64_t index, sdk::SampleCall& call) const {
    for (int64_t record : bad) {
      if (record == index) throw sdk::BadRecord("it is broken");
    }
    const auto image = call.output("image").data<uint8_t>();
    for (size_t i = 0; i < 4; ++i) image[i] = static_cast<uint8_t>(index + static_cast<int64_t>(i));
    call.output("label").f32()[0] = static_cast<float>(index);
    if (!long_parts) return;
    for (int32_t& value : call.output("text").data<int32_t>()) value = static_cast<int32_t>(index);
    call.set_length("text", index % (long_bound + 1));
  }
};

struct Jitter {
  static void describe(sdk::Describe<Jitter>& d) { d.doc("adds random numbers"); }
  void infer(sdk::Parts& parts) const { parts.part("image").dtype = sdk::DType::f32; }
  void apply(sdk::Context&, sdk::SampleCall& call) const {
    const auto from = call.input("image").data<uint8_t>();
    const auto to = call.output("image").f32();
    for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(from[i] + call.random().uniform());
  }
};

struct Centre {
  double mean = 0;
  static void describe(sdk::Describe<Centre>& d) { d.doc("subtracts the mean"); }
  void infer(sdk::Parts& parts) const { parts.part("image").dtype = sdk::DType::f32; }
  void open(sdk::Context& c, const sdk::Parts&) {
    if (c.fit().empty()) throw sdk::Error("there was no pass over the data");
    mean = c.fit()[0] / c.fit()[1];
  }
  size_t fit_size(const sdk::Parts&) const { return 2; }
  void fit_observe(sdk::Context&, sdk::SampleCall& call, std::span<double> state) const {
    for (uint8_t value : call.input("image").data<uint8_t>()) state[0] += value, state[1] += 1;
  }
  void apply(sdk::Context&, sdk::SampleCall& call) const {
    const auto from = call.input("image").data<uint8_t>();
    const auto to = call.output("image").f32();
    for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(from[i] - mean);
  }
};

// On a device: what apply does, to each sample of a batch.
struct JitterThere {
  static void describe(sdk::Describe<JitterThere>& d) { d.doc("adds random numbers"); }
  void apply_samples(sdk::Context&, sdk::SamplesCall& call) const {
    ++far_augments;
    const auto from = call.input("image").data<uint8_t>();
    const auto to = call.output("image").f32();
    const size_t each = to.size() / static_cast<size_t>(call.samples());
    for (size_t n = 0; n * each < to.size(); ++n) {
      sdk::Random random(call.rngs()[n]);
      for (size_t i = n * each; i < (n + 1) * each; ++i)
        to[i] = static_cast<float>(from[i] + random.uniform());
    }
  }
};

struct CentreThere : Centre {
  static void describe(sdk::Describe<CentreThere>& d) { d.doc("subtracts the mean"); }
  void apply_samples(sdk::Context&, sdk::SamplesCall& call) const {
    ++far_augments;
    const auto from = call.input("image").data<uint8_t>();
    const auto to = call.output("image").f32();
    for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(from[i] - mean);
  }
};

// Lengthens the label; keeps the image. On a device alone it takes two.
struct Widen {
  static void describe(sdk::Describe<Widen>& d) { d.doc("labels of two numbers"); }
  void infer(sdk::Parts& parts) const { parts.part("label").shape = {2}; }
  void apply(sdk::Context&, sdk::SampleCall& call) const {
    const auto to = call.output("label").f32();
    to[0] = to[1] = call.input("label").f32()[0];
  }
  void apply_samples(sdk::Context&, sdk::SamplesCall& call) const {
    ++far_augments;
    const auto from = call.input("label").f32(), to = call.output("label").f32();
    for (size_t i = 0; i < to.size(); ++i) to[i] = from[i / 2];
  }
};

// Refuses on the device.
struct TurnThere {
  static void describe(sdk::Describe<TurnThere>& d) { d.doc("turns nothing"); }
  void open(sdk::Context&) { throw sdk::Unsupported("not here"); }
  void apply_samples(sdk::Context&, sdk::SamplesCall&) const {}
};

struct Turn {
  static void describe(sdk::Describe<Turn>& d) { d.doc("turns a batch round"); }
  void apply_batch(sdk::Context&, sdk::SampleCall& call) const {
    for (const char* name : {"image", "label"}) {
      const sdk::Tensor from = call.input(name), to = call.output(name);
      const size_t bytes = from.bytes() / static_cast<size_t>(from.shape(0));
      for (int64_t i = 0; i < from.shape(0); ++i) {
        std::memcpy(static_cast<char*>(to.raw()) + static_cast<size_t>(i) * bytes,
                    static_cast<const char*>(from.raw()) + static_cast<size_t>(from.shape(0) - 1 - i) * bytes,
                    bytes);
      }
    }
  }
};

std::mutex log_mutex;
std::vector<std::string> logged;

void keep_log(int, std::string_view text) {
  const std::lock_guard lock(log_mutex);
  logged.emplace_back(text);
}

template <class T>
sdk::Entry on(const char* type, const char* device) {
  return sdk::implementation<T>(type, device);
}

}  // namespace

const Registry& graph_registry() {
  static const sdk::PluginTable table(
      "test.graph", "1", "none", sdk::layer<Scale>("plait.scale"), sdk::layer<Shadow>("plait.shadow"),
      sdk::layer<Sum>("plait.sum"), sdk::layer<Split>("plait.split"), sdk::layer<Loop>("plait.loop"),
      sdk::loss<Squares>("plait.squares"), sdk::optimizer<Descend>("plait.descend"),
      sdk::optimizer<Clip>("plait.clip"), sdk::optimizer<Climb>("plait.climb"),
      sdk::optimizer<Polyak>("plait.polyak"), sdk::schedule<Halve>("plait.halve"),
      sdk::reducer<MeanReducer>("plait.mean"), sdk::source<Counter>("plait.counter"),
      sdk::augmenter<Jitter>("plait.jitter"), sdk::augmenter<Centre>("plait.centre"),
      sdk::augmenter<Turn>("plait.turn"), sdk::augmenter<Widen>("plait.widen"),
      sdk::device<Memory<true>>("plait.near"), sdk::device<Memory<false>>("plait.far"));
  static const sdk::PluginTable near(
      "test.near", "1", "none", on<Scale>("plait.scale", "plait.near"),
      on<Shadow>("plait.shadow", "plait.near"), on<Sum>("plait.sum", "plait.near"),
      on<Split>("plait.split", "plait.near"), on<Loop>("plait.loop", "plait.near"),
      on<Squares>("plait.squares", "plait.near"), on<Descend>("plait.descend", "plait.near"),
      on<Clip>("plait.clip", "plait.near"), on<Climb>("plait.climb", "plait.near"),
      on<Polyak>("plait.polyak", "plait.near"));
  static const sdk::PluginTable far(
      "test.far", "1", "none", on<Scale>("plait.scale", "plait.far"), on<Sum>("plait.sum", "plait.far"),
      on<Squares>("plait.squares", "plait.far"), on<Descend>("plait.descend", "plait.far"),
      on<Climb>("plait.climb", "plait.far"), on<Polyak>("plait.polyak", "plait.far"),
      on<JitterThere>("plait.jitter", "plait.far"), on<CentreThere>("plait.centre", "plait.far"),
      on<Widen>("plait.widen", "plait.far"), on<TurnThere>("plait.turn", "plait.far"));
  static const Result<Registry> loaded = Registry::from_plugins({table.c(), near.c(), far.c()});
  REQUIRE_MESSAGE(loaded.is_ok(), loaded.status().message());
  set_plugin_log(keep_log);
  return *loaded;
}

TestCounts test_counts() { return {optimizer_steps, prepares, far_copies, far_augments}; }

std::vector<std::string> take_plugin_log() {
  const std::lock_guard lock(log_mutex);
  return std::exchange(logged, {});
}

Job graph_job(const std::string& text, const std::string& device) {
  const std::string source = text.find("source {") == std::string::npos ? "source { counter {} } " : "";
  const std::string optimizer =
      text.find("optimizer {") == std::string::npos ? " optimizer { descend {} }" : "";
  auto job =
      parse_job(graph_registry(),
                source + "device { " + device + " } train { batch: 4 }\n" + text + optimizer, "net.txtpb");
  REQUIRE_MESSAGE(job.is_ok(), job.status().message());
  return std::move(job).value();
}

std::unique_ptr<TestRun> test_run(const std::string& text, const TestRunOptions& options) {
  auto run = std::make_unique<TestRun>();
  run->job = graph_job(text, options.device);
  const PluginSpec& device = run->job.device;
  auto opened = Device::open(graph_registry(), *device.entry, *device.config);
  REQUIRE_MESSAGE(opened.is_ok(), opened.status().message());
  run->device = std::move(*opened);
  auto optimizer = OptimizerInstance::create(graph_registry(), run->job.optimizer, run->job.schedules,
                                             device.entry->type->id);
  REQUIRE_MESSAGE(optimizer.is_ok(), optimizer.status().message());
  run->optimizer = std::move(*optimizer);
  const PartSpec image =
      options.varies ? PartSpec{"image", PLAIT_F32, {2, 2}, 0, 1} : PartSpec{"image", PLAIT_F32, {4}, -1};
  const std::vector<PartSpec> parts{image, {"label", PLAIT_F32, {}, -1}};
  auto network = shape_network(run->job, parts, 4);
  REQUIRE_MESSAGE(network.is_ok(), network.status().message());
  CompileOptions compile;
  compile.device_id = device.entry->type->id;
  compile.device = run->device->self();
  compile.lanes = options.lanes;
  compile.parallel_for = parallel_pieces;
  Lanes lanes(options.lanes);
  auto plan = lanes.execute([&] { return Plan::compile(graph_registry(), std::move(*network), compile); });
  REQUIRE_MESSAGE(plan.is_ok(), plan.status().message());
  run->plan = std::move(*plan);
  Replica::Options replica_options;
  replica_options.optimizer = options.with_optimizer ? run->optimizer.get() : nullptr;
  replica_options.trace = options.trace;
  replica_options.cancelled = options.cancelled;
  auto replica = Replica::create(*run->plan, *run->device, replica_options);
  REQUIRE_MESSAGE(replica.is_ok(), replica.status().message());
  run->replica = std::move(*replica);
  // Two ones and two twos in all: sums are exact.
  run->image = {1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 2};
  run->label = {0, 1, 2, 3};
  run->batch.parts = {run->image.data(), run->label.data()};
  run->batch.extents.resize(2);
  const Status reset = run->reset();
  REQUIRE_MESSAGE(reset.is_ok(), reset.message());
  return run;
}

Status TestRun::reset() {
  std::vector<std::vector<float>> values;
  for (const ParameterInfo& parameter : plan->network().parameters) {
    values.emplace_back(parameter.elements);
    PLAIT_TRY(initial_values(parameter, 1, values.back().data()));
  }
  PLAIT_TRY(plan->pack(values, replica->weights()));
  return replica->weights_changed();
}

Result<StepResult> TestRun::step(int64_t number) {
  std::vector<double> runtime(optimizer->runtime_fields());
  PLAIT_TRY(optimizer->runtime({number, 10, 10}, runtime));
  return replica->run(batch, 1, number, 0, runtime);
}

uint64_t TestRun::place(const std::string& name) const {
  const auto& parameters = plan->network().parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].name == name) return plan->parameters()[i].offset;
  }
  FAIL("no parameter " << name);
  return 0;
}

float TestRun::parameter(const std::string& name) const { return replica->weights()[place(name)]; }
float TestRun::gradient(const std::string& name) const { return replica->gradients()[place(name)]; }

}  // namespace plait::inline graph
