// Losses, metrics, optimizers, schedules, reducers and pretrainers through the C tables.
#include <doctest/doctest.h>

#include <plait/sdk.hpp>
#include <plait/sdk/testing.hpp>
#include <plait/sdk/testing_loss.hpp>
#include <plait/sdk/testing_metric.hpp>
#include <plait/sdk/testing_pretrainer.hpp>
#include <plait/sdk/testing_reducer.hpp>

namespace plait::sdk {
namespace {

using testing::LossTest;
using testing::MetricTest;
using testing::Settings;
using testing::SpecList;
using testing::TestHost;
using testing::TestTensor;
using testing::WholeTest;

struct Squared {
  static void describe(Describe<Squared>& d) { d.doc("sum of squares; targets must not be negative"); }
  uint64_t workspace_bytes(const LossShapes& s) const { return s.prediction().bytes(); }
  void compute(Context& c, const LossCall& call) const {
    const Out x = call.prediction().f32(), t = call.target().f32();
    c.parallel_for(x.size(), 1, [&](size_t i) {
      if (t[i] < 0) call.bad_target(static_cast<int64_t>(i));
      call.workspace<float>()[i] = (x[i] - t[i]) * (x[i] - t[i]);
      if (call.gradient())
        call.gradient().f32()[i] = static_cast<float>(call.gradient_scale()) * 2 * (x[i] - t[i]);
    });
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) sum += call.workspace<float>()[i];
    call.set_result(sum, static_cast<double>(x.size()));
  }
};

struct KernelLoss {
  static void describe(Describe<KernelLoss>& d) { d.doc("counts"); }
  void check(const LossShapes& s) const {
    if (s.target().dtype() != DType::i64) s.fail("target is ", s.target(), ", wanted i64");
  }
  struct Kernel {
    Kernel(const KernelLoss&, Context&, LossRequest& r) { r.workspace(24); }
    void compute(Context&, const LossCall& call) const { call.set_result(1, 1); }
  };
};

TEST_CASE("a loss: check, workspace, result, gradient, the first bad target") {
  TestHost host;
  host.lanes = 2;
  const Entry squared = loss<Squared>("acme.squared");
  const auto& rules = *static_cast<const plait_loss_rules*>(squared.type.rules);
  const auto& ops = *static_cast<const plait_loss_ops*>(squared.implementation.ops);
  const Settings settings(squared);
  const SpecList specs({{"p", DType::f32, {4}}, {"t", DType::f32, {4}}, {"u", DType::f32, {5}}});
  plait_loss_request request{};
  request.struct_size = sizeof request;
  request.config = settings.c();
  request.prediction = specs.data()[0];
  request.target = specs.data()[2];
  request.n_predictions = request.n_targets = 1;
  request.predictions = specs.data();
  request.targets = specs.data() + 2;
  CHECK(rules.check(host.context(), &request) == PLAIT_FAILED);
  CHECK(host.message == "prediction f32[4] and target f32[5] have different shapes");
  request.target = specs.data()[1];
  request.targets = specs.data() + 1;
  CHECK(rules.check(host.context(), &request) == PLAIT_OK);
  void* self = nullptr;
  host.check(ops.create(host.context(), &request, &self));
  CHECK(request.workspace_bytes == 16);

  TestTensor p("p", DType::f32, {4}), t("t", DType::f32, {4}), g("g", DType::f32, {4}),
      w("w", DType::f32, {4});
  p.fill({1, 2, 3, 4});
  t.fill({0, 2, -1, -1});
  double result[2] = {};
  int32_t bad = 0;
  const plait_tensor *const predictions[] = {p.c()}, *const targets[] = {t.c()};
  const plait_tensor* gradients[] = {g.c()};
  plait_loss_call call{};
  call.struct_size = sizeof call;
  call.n_predictions = call.n_targets = 1;
  call.predictions = predictions;
  call.targets = targets;
  call.prediction_gradients = gradients;
  call.result = result;
  call.workspace = w.view().raw();
  call.bad_target = &bad;
  call.gradient_scale = 0.5;
  host.check(ops.compute(self, host.context(), &call));
  CHECK(result[0] == 1 + 16 + 25);
  CHECK(result[1] == 4);
  CHECK(bad == 2);
  CHECK(g.f32()[3] == 5);
  t.fill({0, 2, 1, 1});
  gradients[0] = nullptr;
  host.check(ops.compute(self, host.context(), &call));
  CHECK(bad == -1);
  ops.destroy(self);
}

TEST_CASE("a loss with a kernel") {
  TestHost host;
  const Entry entry = loss<KernelLoss>("acme.kernel_loss");
  const auto& ops = *static_cast<const plait_loss_ops*>(entry.implementation.ops);
  const Settings settings(entry);
  const SpecList specs({{"p", DType::f32, {4}}});
  plait_loss_request request{};
  request.config = settings.c();
  request.prediction = request.target = specs.data()[0];
  request.n_predictions = request.n_targets = 1;
  request.predictions = request.targets = specs.data();
  CHECK(static_cast<const plait_loss_rules*>(entry.type.rules)->check(host.context(), &request) ==
        PLAIT_FAILED);
  CHECK(host.message == "target is f32[4], wanted i64");
  void* self = nullptr;
  host.check(ops.create(host.context(), &request, &self));
  CHECK(request.workspace_bytes == 24);
  ops.destroy(self);
}

// Distance of pairs, weighed; a target is taken off where there is one.
struct Pairs {
  static constexpr Count predictions = 2, targets = {0, 1};
  static constexpr bool weighted = true;
  static void describe(Describe<Pairs>& d) { d.doc("pairs"); }
  static void ports(Ports& p) {
    p.prediction("left", "[N]").doc("one side").unit("m");
    p.prediction("right");
  }
  void check(const LossShapes& s) const {
    if (s.prediction(1).size() != s.prediction(0).size()) s.fail("two sizes");
  }
  void compute(Context&, const LossCall& call) const {
    double sum = 0, count = 0;
    for (size_t n = 0; n < call.prediction().size(); ++n) count += call.weight(n);
    for (size_t n = 0; n < call.prediction().size(); ++n) {
      const double apart = double{call.prediction(0).f32()[n]} - call.prediction(1).f32()[n] -
                           (call.targets() > 0 ? call.target().f32()[n] : 0);
      sum += call.weight(n) * apart * apart;
      for (size_t p = 0; p < 2; ++p)
        if (call.gradient(p))
          call.gradient(p).f32()[n] = static_cast<float>((p == 0 ? 2 : -2) * call.weight(n) * apart / count);
    }
    call.set_result(sum, count);
  }
};

TEST_CASE("a loss of several predictions, with a weight for each sample") {
  TestHost host;
  const Entry entry = loss<Pairs>("acme.pairs");
  const auto& rules = *static_cast<const plait_loss_rules*>(entry.type.rules);
  CHECK((rules.min_predictions == 2 && rules.max_predictions == 2));
  CHECK((rules.min_targets == 0 && rules.max_targets == 1));
  CHECK(rules.flags == PLAIT_LOSS_WEIGHTS);
  CHECK(rules.target_ports == nullptr);
  REQUIRE(rules.prediction_ports->count == 2);
  CHECK(std::string(rules.prediction_ports->ports[0]->unit) == "m");
  CHECK(std::string(rules.prediction_ports->ports[1]->name) == "right");

  const std::vector<PartSpec> two = {{"p", DType::f32, {2}}, {"q", DType::f32, {2}}};
  LossTest test(host, entry, Settings(entry), two, {}, true);
  test.predictions[0].fill({5, 1});
  test.predictions[1].fill({2, 1.5f});
  test.weights->fill({3, 1});
  CHECK(test.compute() == (3 * 9 + 0.25) / 4);
  CHECK(test.gradients[0].f32()[0] == 4.5f);
  CHECK(test.gradients[1].f32()[0] == -4.5f);
  LossTest with_target(host, entry, Settings(entry), two, {{"t", DType::f32, {2}}});
  with_target.predictions[0].fill({5, 1});
  with_target.predictions[1].fill({2, 1});
  with_target.target.fill({2, 0});
  CHECK(with_target.compute() == 0.5);

  const auto& plain = *static_cast<const plait_loss_rules*>(loss<Squared>("acme.squared").type.rules);
  CHECK((plain.max_predictions == 1 && plain.min_targets == 1 && plain.flags == 0));
}

struct Share {
  static constexpr MetricValue values[] = {{"share", MetricValue::kHigher, "of positive predictions"},
                                           {"count", MetricValue::kLower, "predictions"}};
  static void describe(Describe<Share>& d) { d.doc("share of positive predictions"); }
  size_t state_size(Spec prediction, Spec) const {
    if (prediction.rank() != 1) throw Error("prediction is ", prediction, ", wanted [N]");
    return 2;
  }
  void update(Context&, Tensor prediction, Tensor, std::span<double> state) const {
    for (const float x : prediction.f32()) state[0] += x > 0;
    state[1] += static_cast<double>(prediction.size());
  }
  void finish(std::span<const double> state, std::span<double> out) const {
    out[0] = state[0] / state[1];
    out[1] = state[1];
  }
};

TEST_CASE("a metric") {
  TestHost host;
  const Entry share = metric<Share>("acme.share");
  const auto& ops = *static_cast<const plait_metric_ops*>(share.implementation.ops);
  REQUIRE(ops.n_values == 2);
  CHECK(std::string(ops.values[0]->name) == "share");
  CHECK(ops.values[0]->higher_is_better == 1);
  CHECK(ops.values[1]->higher_is_better == 0);
  const Settings settings(share);
  const SpecList specs({{"p", DType::f32, {4}}, {"q", DType::f32, {4, 1}}});
  void* self = nullptr;
  uint32_t size = 0;
  CHECK(ops.create(host.context(), settings.c(), specs.data()[1], specs.data()[1], &size, &self) ==
        PLAIT_FAILED);
  host.check(ops.create(host.context(), settings.c(), specs.data()[0], specs.data()[0], &size, &self));
  CHECK(size == 2);
  TestTensor p("p", DType::f32, {4});
  p.fill({1, -1, 2, 3});
  double state[2] = {}, values[2] = {};
  for (int i = 0; i < 2; ++i) host.check(ops.update(self, host.context(), p.c(), p.c(), state));
  host.check(ops.finish(self, host.context(), state, values));
  CHECK(values[0] == 0.75);
  CHECK(values[1] == 8);
  ops.destroy(self);
}

// Values by class, of rows.
struct Ranked {
  bool short_for_classes = false;
  static void describe(Describe<Ranked>& d) {
    d.doc("rows of a prediction and its target");
    d.field("short_for_classes", &Ranked::short_for_classes)
        .doc("names fewer values where there are classes");
  }
  void name_values(MetricValues& v) const {
    v.value("", MetricValue::kHigher, "rows");
    if (short_for_classes && v.classes() > 0) return;
    for (const std::string& name : v.class_names(2)) v.value(name, MetricValue::kLower, "a class");
  }
  size_t row_size(Spec prediction, Spec) const { return prediction.rank() == 1 ? 2 : 0; }
  void update_rows(Context&, Tensor prediction, Tensor target, RowsOut& rows) const {
    for (size_t n = 0; n < prediction.size(); ++n) rows.append({prediction.f32()[n], target.f32()[n]});
    if (prediction.size() == 3) rows.append({1});
  }
  void finish_rows(std::span<const double> state, RowsIn rows, std::span<double> values) const {
    CHECK(state.empty());
    values[0] = static_cast<double>(rows.size());
    values[1] = rows[1][0];
    values[2] = rows[rows.size() - 1][1];
  }
};

TEST_CASE("a metric that names its values by class and keeps rows") {
  TestHost host;
  const Entry ranked = metric<Ranked>("acme.ranked");
  const auto& ops = *static_cast<const plait_metric_ops*>(ranked.implementation.ops);
  CHECK(ops.n_values == 0);
  CHECK(!ops.update);
  CHECK(!ops.finish);
  MetricTest test(host, ranked, Settings(ranked), {"p", DType::f32, {2}}, {"t", DType::f32, {2}},
                  {"cat", "d\xc3\xb6g"});
  CHECK(test.names() == std::vector<std::string>{"", "cat", "d_g"});
  CHECK(test.higher_is_better(0));
  CHECK_FALSE(test.higher_is_better(1));
  test.prediction.fill({1, 2});
  test.target.fill({3, 4});
  test.update();
  test.update();
  CHECK(test.rows == std::vector<double>{1, 3, 2, 4, 1, 3, 2, 4});
  CHECK(test.finish() == std::vector<double>{4, 2, 4});
  MetricTest odd(host, ranked, Settings(ranked), {"p", DType::f32, {3}}, {"t", DType::f32, {3}});
  CHECK_THROWS_WITH(odd.update(), "got 1 numbers, which are no rows of 2");
  CHECK_THROWS_WITH(
      MetricTest(host, ranked, Settings(ranked), {"p", DType::f32, {2, 1}}, {"t", DType::f32, {2}}),
      "a row has 0 numbers, wanted 1 .. 65536");
  CHECK_THROWS_WITH(MetricTest(host, ranked, Settings(ranked).set("short_for_classes", true),
                               {"p", DType::f32, {2}}, {"t", DType::f32, {2}}, {"cat"}),
                    "name_values names 1 values where the source has 1 classes, and 3 where it does not say: "
                    "wanted as many, whatever the source");
}

// Remembers how often it was called; the rest is averaged.
struct Remembers {
  static void describe(Describe<Remembers>& d) { d.doc("counts rounds in a state"); }
  void states(ReducerStates& s) const {
    s.state("rounds");
    s.state("other", 2);
  }
  void combine_whole(Context&, const WholeReduction& call) const {
    call.average_all(call.equal_weights());
    for (float& rounds : call.state(0)) rounds += 1;
    CHECK(call.state(1).size() == call.count);
    if (call.result(0).loss == 7) call.combined[0] = static_cast<float>(call.round) + call.state(0)[0];
  }
};

TEST_CASE("a reducer that takes the whole: means, the largest, variances, states, shards that failed") {
  TestHost host;
  const Entry entry = reducer<Remembers>("acme.remembers");
  WholeTest test(host, entry, Settings(entry),
                 {{"w", 2},
                  {"mean", 1, PLAIT_REDUCED_BUFFER, Reduce::mean64},
                  {"variance", 1, PLAIT_REDUCED_BUFFER, Reduce::variance},
                  {"most", 1, PLAIT_REDUCED_BUFFER, Reduce::max},
                  {"w.m", 1, PLAIT_REDUCED_SLOT, Reduce::max}});
  REQUIRE(test.states.size() == 2);
  CHECK(test.states[1][3] == 2);
  using Values = std::vector<float>;
  // Means 1 and 3 about 2; variances 4 and 6: 5 + 1.
  CHECK(test.combine({{1, 2, 1, 4, 5, -3}, {}, {3, 6, 3, 6, 2, -1}}) == Values{2, 4, 2, 6, 5, -1});
  CHECK(test.states[0] == Values(6, 1));
  test.losses = {7, 1};
  CHECK(test.combine({Values(6, 1), Values(6, 1)})[0] == 3);  // round 1, called twice
  CHECK_THROWS_WITH(test.combine({{}, {}}), "none of 2 shards has a result to go by");
}

// w -= rate (m + decay w), m = momentum m + g / max(1, norm).
struct Heavy {
  float rate = 0.5f;
  double momentum = 0.5, decay = 0;
  static constexpr bool elementwise = true;
  static void describe(Describe<Heavy>& d) {
    d.doc("heavy ball");
    d.field("rate", &Heavy::rate).doc("step size").above(0).runtime();
    d.field("momentum", &Heavy::momentum).doc("memory").at_least(0).below(1);
    d.field("decay", &Heavy::decay).doc("pull to zero").at_least(0).runtime();
  }
  void slots(OptimizerSlots& s) const {
    if (momentum > 0) s.slot("momentum").reduce(Reduce::reset).initial(0);
  }
  double observe(Context&, const OptimizerCall& call) const {
    double sum = 0;
    for (const float g : call.gradients) sum += static_cast<double>(g) * g;
    return sum;
  }
  void step(Context&, const OptimizerCall& call) const {
    const double pull = call.decay() ? decay : 0;
    const double norm = std::max(1.0, std::sqrt(call.observed));
    for (size_t i = 0; i < call.count; ++i) {
      const double m = (momentum > 0 ? momentum * call.slot(0)[i] : 0) + call.gradients[i] / norm;
      if (momentum > 0) call.slot(0)[i] = static_cast<float>(m);
      call.weights[i] -= static_cast<float>(rate * (m + pull * call.weights[i]));
    }
  }
};

std::vector<std::string> slots_of(TestHost& host, const Entry& entry, const Settings& settings) {
  std::vector<std::string> names;
  plait_optimizer_builder builder{};
  builder.host_data = &names;
  builder.slot = [](const plait_optimizer_builder* b, const plait_slot_spec* spec) {
    CHECK(spec->reduce == PLAIT_REDUCE_RESET);
    static_cast<std::vector<std::string>*>(b->host_data)->push_back(spec->name);
    return int{PLAIT_OK};
  };
  const auto& rules = *static_cast<const plait_optimizer_rules*>(entry.type.rules);
  host.check(rules.describe(host.context(), settings.c(), &builder));
  return names;
}

TEST_CASE("an optimizer: slots by configuration, runtime fields, decay, observe") {
  TestHost host;
  const Entry heavy = optimizer<Heavy>("acme.heavy");
  const auto& rules = *static_cast<const plait_optimizer_rules*>(heavy.type.rules);
  const auto& ops = *static_cast<const plait_optimizer_ops*>(heavy.implementation.ops);
  CHECK(rules.flags == (PLAIT_OPTIMIZER_ELEMENTWISE | PLAIT_OPTIMIZER_NEEDS_ALL_GRADIENTS));
  CHECK(slots_of(host, heavy, Settings(heavy)) == std::vector<std::string>{"momentum"});
  CHECK(slots_of(host, heavy, Settings(heavy).set("momentum", 0.0)).empty());

  void* self = nullptr;
  const Settings settings(heavy);
  host.check(ops.create(host.context(), settings.c(), &self));
  float w[2] = {1, 2}, m[2] = {0, 1};
  const float g[2] = {3, 4};
  float* slots[1] = {m};
  const double runtime[2] = {0.25, 0.5};  // rate, decay
  plait_optimizer_call call{};
  call.struct_size = sizeof call;
  call.count = 2;
  call.weights = w;
  call.gradients = g;
  call.slots = slots;
  call.runtime = runtime;
  double sum = 0;
  host.check(ops.observe(self, host.context(), &call, &sum));
  CHECK(sum == 25);
  call.observed = sum;
  host.check(ops.step(self, host.context(), &call));
  CHECK(m[1] == doctest::Approx(0.5 + 0.8));
  CHECK(w[0] == doctest::Approx(1 - 0.25 * (0.6 + 0.5 * 1)));
  w[0] = 1, m[0] = 0;
  call.flags = PLAIT_PARAMETER_NO_DECAY;
  host.check(ops.step(self, host.context(), &call));
  CHECK(w[0] == doctest::Approx(1 - 0.25 * 0.6));
  ops.destroy(self);
}

struct Half {
  static void describe(Describe<Half>& d) { d.doc("half, then nothing"); }
  double value(const ScheduleCall& call) const { return call.base * (call.progress() < 1 ? 0.5 : 0); }
};
struct Twice {
  Child<Schedule> inner;
  static void describe(Describe<Twice>& d) {
    d.doc("twice its child");
    d.field("inner", &Twice::inner).doc("child");
  }
  double value(Context& c, const ScheduleCall& call) const {
    return 2 * inner.value(c, call.with_base(call.base + 1));
  }
};

TEST_CASE("schedules, one in another") {
  TestHost host;
  const Entry half = schedule<Half>("acme.half"), twice = schedule<Twice>("acme.twice");
  const auto& half_ops = *static_cast<const plait_schedule_ops*>(half.implementation.ops);
  const auto& twice_ops = *static_cast<const plait_schedule_ops*>(twice.implementation.ops);
  plait_child child{};
  child.struct_size = sizeof child;
  child.id = "acme.half";
  child.ops = &half_ops;
  host.check(half_ops.create(host.context(), Settings(half).c(), &child.self));
  void* self = nullptr;
  const Settings settings = Settings(twice).set("inner", static_cast<const plait_child*>(&child));
  host.check(twice_ops.create(host.context(), settings.c(), &self));
  plait_schedule_call call{sizeof call, 0, 3, 0, 10, 5, 0, 0, nullptr};
  double value = 0;
  host.check(twice_ops.value(self, host.context(), &call, &value));
  CHECK(value == 4);
  call.step = 9;
  host.check(twice_ops.value(self, host.context(), &call, &value));
  CHECK(value == 0);
  CHECK(ScheduleCall{1, 7, 10, 5}.epoch() == 1.4);
  twice_ops.destroy(self);
  half_ops.destroy(child.self);
}

struct BySamples {
  static void describe(Describe<BySamples>& d) {
    d.doc("weight: samples");
    d.default_of_kind();
  }
  int64_t weight(const ShardResult& r) const { return r.samples; }
};
struct Largest {
  static void describe(Describe<Largest>& d) { d.doc("largest delta"); }
  void combine(Context&, std::span<const float* const> deltas, Out combined) const {
    for (size_t i = 0; i < combined.size(); ++i) {
      combined[i] = deltas[0][i];
      for (const float* delta : deltas) combined[i] = std::max(combined[i], delta[i]);
    }
  }
};

TEST_CASE("reducers of both sorts") {
  TestHost host;
  const Entry linear = reducer<BySamples>("acme.by_samples"), gathering = reducer<Largest>("acme.largest");
  CHECK(linear.type.flags == PLAIT_TYPE_DEFAULT_OF_KIND);
  CHECK(gathering.type.flags == 0);
  const auto& weigh = *static_cast<const plait_reducer_ops*>(linear.implementation.ops);
  const auto& gather = *static_cast<const plait_reducer_ops*>(gathering.implementation.ops);
  CHECK(!weigh.combine);
  CHECK(!gather.weight);
  void* self = nullptr;
  host.check(weigh.create(host.context(), Settings().c(), &self));
  plait_shard_result result{sizeof result, 4, 1, 0, 640, 0.5};
  int32_t weight = 0;
  host.check(weigh.weight(self, host.context(), &result, &weight));
  CHECK(weight == 640);
  result.samples = 70000;
  host.check(weigh.weight(self, host.context(), &result, &weight));
  CHECK(weight == 70000);
  result.samples = 0;
  CHECK(weigh.weight(self, host.context(), &result, &weight) == PLAIT_FAILED);
  CHECK(host.message == "weight 0 is not in 1 .. 2147483647");
  weigh.destroy(self);
  host.check(gather.create(host.context(), Settings().c(), &self));
  const float a[2] = {1, 5}, b[2] = {2, 4};
  const float* deltas[2] = {a, b};
  float combined[2] = {};
  host.check(gather.combine(self, host.context(), 2, deltas, 2, combined));
  CHECK(combined[0] == 2);
  CHECK(combined[1] == 5);
  gather.destroy(self);
}

struct LayerByLayer {
  static void describe(Describe<LayerByLayer>& d) { d.doc("one stage per layer"); }
  void next_stage(const Network& network, int stage, StageBuilder& builder) const {
    if (static_cast<size_t>(stage) < network.size()) {
      const NetworkLayer layer = network[static_cast<size_t>(stage)];
      builder.begin(text("layer ", layer.name()));
      builder.copy(layer, {.frozen = true, .inputs = {"x", "y"}});
      builder.layer("back", {"a"}, layer.mirror().set("bias", false));
    }
  }
};

TEST_CASE("a pretrainer emits stages until none is left") {
  TestHost host;
  const Entry entry = pretrainer<LayerByLayer>("acme.layer_by_layer");
  const auto& ops = *static_cast<const plait_pretrainer_ops*>(entry.implementation.ops);
  void* self = nullptr;
  host.check(ops.create(host.context(), Settings().c(), &self));
  testing::TestNetwork network;
  network.add("a", "acme.plane", {"x"}, {"", DType::f32, {2, 3}}, {"", DType::f32, {2, 4}})
      .parameters(1)
      .mirror(Block("acme.plane").set("units", 3).set("name", "b").set("rate", 0.5));
  testing::TestStage stage;
  stage.ask(host, ops, self, network, 0);
  CHECK(stage.text ==
        "stage layer a\n"
        "copy a < x, y frozen\n"
        "layer back < a: acme.plane{units: 3, name: \"b\", rate: 0.5, bias: false}\n");
  stage.ask(host, ops, self, network, 1);
  CHECK(stage.text.empty());
  ops.destroy(self);
}

}  // namespace
}  // namespace plait::sdk
