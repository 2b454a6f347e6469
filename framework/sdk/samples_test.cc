// Sources and augmenters, and augmenters inside augmenters.
#include <doctest/doctest.h>

#include <algorithm>
#include <plait/sdk.hpp>
#include <plait/sdk/testing.hpp>
#include <plait/sdk/testing_plugin.hpp>

namespace plait::sdk {
namespace {

using testing::PartsTaken;
using testing::Settings;
using testing::SpecList;
using testing::TestHost;
using testing::TestSample;
using testing::TestTensor;

struct Ramp {
  int64_t records = 4;
  static void describe(Describe<Ramp>& d) {
    d.doc("record i is i, i + 1, ...");
    d.field("records", &Ramp::records).doc("how many").range(0, 1000);
  }
  void open(Context&) {
    if (records == 0) throw NotFound("ramp.bin: no such file");
  }
  SourceInfo info() const {
    SourceInfo info;
    info.count = records;
    info.parts.add("ramp", DType::f32, {3}, 0);
    info.parts.add("label", DType::i64, {});
    info.classes = {"even", "odd"};
    return info;
  }
  void read(Context&, int64_t index, SampleCall& call) const {
    if (index == 2) throw BadRecord("record ", index, " is torn");
    const Out out = call.output("ramp").f32();
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(index + static_cast<int64_t>(i));
    call.set_length("ramp", 1 + index % 3);
    call.output("label").data<int64_t>()[0] = index % 2;
  }
};

// Adds a drawn number to "x"; leaves the other parts.
struct Jitter {
  double width = 1;
  static void describe(Describe<Jitter>& d) {
    d.doc("adds noise");
    d.field("width", &Jitter::width).doc("of the noise").at_least(0);
  }
  void infer(Parts& parts) const {
    if (!parts.has("x")) parts.fail("noise wants a part x");
  }
  void apply(Context&, SampleCall& call) const {
    const double noise = call.random().uniform(0, width);
    for (float& value : call.pass("x").f32()) value += static_cast<float>(noise);
  }
};

// Halves "x" and drops "extra".
struct Shorten {
  static void describe(Describe<Shorten>& d) { d.doc("first half of x"); }
  void infer(Parts& parts) const {
    parts.part("x").shape[0] /= 2;
    parts.remove("extra");
  }
  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part("x");
    std::copy_n(in.f32().begin(), out.size(), out.f32().begin());
  }
};

struct Choose {
  std::vector<Child<Augmenter>> of;
  static void describe(Describe<Choose>& d) {
    d.doc("applies its last child");
    d.field("of", &Choose::of).doc("children");
  }
  void infer(Context& c, Parts& parts) const {
    for (const auto& child : of) child.infer(c, parts);
  }
  void apply(Context& c, SampleCall& call) const { of.back().apply(c, call, of.size() - 1); }
};

struct MeanOf {
  double mean = 0;
  static void describe(Describe<MeanOf>& d) { d.doc("subtracts the mean of the training data"); }
  void open(Context& c, const Parts& parts) {
    parts.part("x");
    if (c.fit().size() == 2) mean = c.fit()[0] / c.fit()[1];
  }
  void apply(Context&, SampleCall& call) const {
    for (float& value : call.pass("x").f32()) value -= static_cast<float>(mean);
  }
  size_t fit_size(const Parts&) const { return 2; }
  void fit_observe(Context&, SampleCall& call, std::span<double> state) const {
    for (const float value : call.input("x").f32()) state[0] += value;
    state[1] += static_cast<double>(call.input("x").size());
  }
};

// One augmenter, created for `parts`, with the memory of a sample.
struct AugmenterTest {
  TestHost& host;
  const plait_augmenter_ops& ops;
  Settings settings;
  void* self = nullptr;
  std::deque<TestTensor> in, out;
  int32_t lengths[4] = {};
  plait_rng rng{3, 4};

  AugmenterTest(TestHost& h, const Entry& entry, Settings s, std::vector<PartSpec> parts)
      : host(h),
        ops(*static_cast<const plait_augmenter_ops*>(entry.implementation.ops)),
        settings(std::move(s)) {
    const SpecList specs(parts);
    plait_parts_builder builder{};
    builder.struct_size = sizeof builder;
    builder.host_data = this;
    builder.part = [](const plait_parts_builder* b, const plait_tensor_spec* spec) {
      static_cast<AugmenterTest*>(b->host_data)->out.emplace_back(PartSpec(Spec(spec)));
      return int{PLAIT_OK};
    };
    const auto* rules = static_cast<const plait_augmenter_rules*>(entry.type.rules);
    host.check(rules->infer(host.context(), settings.c(), specs.size(), specs.data(), &builder));
    host.check(ops.create(host.context(), settings.c(), specs.size(), specs.data(), &self));
    for (const PartSpec& part : parts) in.emplace_back(part);
  }
  ~AugmenterTest() {
    if (self) ops.destroy(self);
  }
  AugmenterTest(const AugmenterTest&) = delete;

  plait_sample_call call(std::vector<const plait_tensor*>& ins, std::vector<const plait_tensor*>& outs) {
    ins = testing::pointers(in), outs = testing::pointers(out);
    plait_sample_call c{};
    c.struct_size = sizeof c;
    c.n_inputs = static_cast<uint32_t>(ins.size());
    c.inputs = ins.data();
    c.n_outputs = static_cast<uint32_t>(outs.size());
    c.outputs = outs.data();
    c.lengths_out = lengths;
    c.rng = rng;
    return c;
  }
  void apply() {
    std::vector<const plait_tensor*> ins, outs;
    const plait_sample_call c = call(ins, outs);
    host.check(ops.apply(self, host.context(), &c));
    for (const TestTensor& tensor : out) CHECK(tensor.intact());
  }
};

const std::vector<PartSpec> kParts = {{"x", DType::f32, {4}}, {"extra", DType::u8, {2}}};

// Adds 1 within the extents of the image.
struct Brighten {
  static constexpr bool two_axes = true;
  static void describe(Describe<Brighten>& d) { d.doc("one more"); }
  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part("image");
    call.same_extents("image");
    for (int64_t h = 0; h < call.extent("image", 0); ++h)
      for (int64_t w = 0; w < call.extent("image", 1); ++w) {
        const auto at = static_cast<size_t>(h * in.shape(1) + w);
        out.f32()[at] = in.f32()[at] + 1;
      }
  }
};

TEST_CASE("a sample of which two axes vary says how far it reaches along both") {
  TestHost host;
  const Entry brighten = augmenter<Brighten>("acme.brighten");
  CHECK(brighten.type.flags == PLAIT_TYPE_TWO_AXES);
  testing::AugmenterTest test(
      host, brighten, Settings(brighten),
      {PartSpec("image", DType::f32, {2, 3, 1}, 0, 1), PartSpec("mask", DType::u8, {2, 3}, 0, 1),
       PartSpec("text", DType::u8, {4}, 0)});
  REQUIRE(test.sample.outputs.size() == 3);
  CHECK(test.sample.outputs[0].spec().variable_axis == 0);
  CHECK(test.sample.outputs[0].spec().second_axis == 1);
  CHECK(test.sample.outputs[2].spec().second_axis == -1);
  test.sample.inputs[0].fill({1, 2, 9, 9, 9, 9});
  test.sample.inputs[0].lengths = {1}, test.sample.inputs[0].second_lengths = {2};
  test.sample.inputs[1].lengths = {2}, test.sample.inputs[1].second_lengths = {1};
  test.sample.inputs[2].lengths = {3};
  std::ranges::fill(test.sample.inputs[1].data<uint8_t>(), uint8_t{7});
  std::ranges::fill(test.sample.inputs[2].data<uint8_t>(), uint8_t{7});
  test.apply();
  CHECK(test.sample.outputs[0].f32()[0] == 2);
  CHECK(test.sample.outputs[0].f32()[1] == 3);
  CHECK(test.sample.lengths_out == std::vector<int32_t>{1, 2, 3});  // what passes keeps its own
  CHECK(test.sample.second_lengths_out[0] == 2);
  CHECK(test.sample.second_lengths_out[1] == 1);
}

TEST_CASE("samples of a batch reach as far as they say, or all the way") {
  TestTensor tensor(PartSpec("image", DType::f32, {2, 4, 5, 3}, 1, 2));
  CHECK(tensor.view().varies(1));
  CHECK(tensor.view().varies(2));
  CHECK_FALSE(tensor.view().varies(3));
  CHECK_FALSE(tensor.view().varies(-1));
  CHECK(tensor.view().extent(1, 1) == 4);
  CHECK(tensor.view().second_lengths().empty());
  tensor.lengths = {4, 1}, tensor.second_lengths = {5, 2};
  CHECK(tensor.view().extent(1, 1) == 1);
  CHECK(tensor.view().extent(1, 2) == 2);
  CHECK(tensor.view().extent(1, 3) == 3);
  const TestTensor plain("x", DType::f32, {2, 3});
  CHECK(plain.view().second_axis() == -1);
  CHECK_FALSE(plain.view().varies(0));
}

TEST_CASE("a source says what it holds, reads, and reports bad records as such") {
  TestHost host;
  const Entry ramp = source<Ramp>("acme.ramp");
  const auto& ops = *static_cast<const plait_source_ops*>(ramp.implementation.ops);
  const Settings settings(ramp);
  void* self = nullptr;
  host.check(ops.open(host.context(), settings.c(), &self));
  std::vector<PartSpec> parts;
  plait_parts_builder builder{};
  builder.host_data = &parts;
  builder.part = [](const plait_parts_builder* b, const plait_tensor_spec* spec) {
    static_cast<std::vector<PartSpec>*>(b->host_data)->emplace_back(Spec(spec));
    return int{PLAIT_OK};
  };
  plait_source_info info{};
  info.struct_size = sizeof info;
  host.check(ops.describe(self, host.context(), &info, &builder));
  CHECK(info.count == 4);
  CHECK(info.random_access == 1);
  REQUIRE(info.n_classes == 2);
  CHECK(std::string(info.class_names[1]) == "odd");
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].variable_axis == 0);
  CHECK(parts[1].shape.empty());

  const std::deque<TestTensor> out = [&] {
    std::deque<TestTensor> made;
    for (const PartSpec& part : parts) made.emplace_back(part);
    return made;
  }();
  const auto outs = testing::pointers(out);
  int32_t lengths[2] = {};
  plait_sample_call call{};
  call.struct_size = sizeof call;
  call.outputs = outs.data();
  call.n_outputs = 2;
  call.lengths_out = lengths;
  host.check(ops.read(self, host.context(), 1, &call));
  CHECK(out[0].f32()[2] == 3);
  CHECK(out[1].data<int64_t>()[0] == 1);
  CHECK(lengths[0] == 2);
  CHECK(ops.read(self, host.context(), 2, &call) == PLAIT_FAILED);
  CHECK(host.code == PLAIT_ERROR_CORRUPT);
  CHECK(host.message == "record 2 is torn");
  CHECK(ops.read(self, host.context(), 4, &call) == PLAIT_FAILED);
  CHECK(host.message == "record 4 of 4 does not exist");
  ops.close(self);
  CHECK(ops.open(host.context(), Settings(ramp).set("records", 0).c(), &self) == PLAIT_FAILED);
  CHECK(host.code == PLAIT_ERROR_NOT_FOUND);
}

TEST_CASE("parts that an augmenter does not touch pass; the same draw for the same sample") {
  TestHost host;
  const Entry jitter = augmenter<Jitter>("acme.jitter");
  AugmenterTest test(host, jitter, Settings(jitter), kParts);
  test.in[0].fill({1, 2, 3, 4});
  test.in[1].data<uint8_t>()[0] = 5;
  test.in[1].data<uint8_t>()[1] = 6;
  test.apply();
  const float noise = test.out[0].f32()[0] - 1;
  CHECK(noise == doctest::Approx(Random(3, 4).uniform()));
  CHECK(test.out[0].f32()[3] == doctest::Approx(4 + noise));
  CHECK(test.out[1].data<uint8_t>()[1] == 6);
  CHECK(test.in[0].f32()[0] == 1);
  CHECK_THROWS_WITH(AugmenterTest(host, jitter, Settings(jitter), {{"y", DType::f32, {4}}}),
                    "noise wants a part x");
}

TEST_CASE("parts may change shape and go") {
  TestHost host;
  const Entry shorten = augmenter<Shorten>("acme.shorten");
  AugmenterTest test(host, shorten, Settings(shorten), kParts);
  REQUIRE(test.out.size() == 1);
  CHECK(test.out[0].spec().shape == std::vector<int64_t>{2});
  test.in[0].fill({1, 2, 3, 4});
  test.apply();
  CHECK(test.out[0].f32()[1] == 2);
  CHECK_THROWS_WITH(AugmenterTest(host, shorten, Settings(shorten), {{"x", DType::f32, {4}}}),
                    "the sample has no part \"extra\", only: x");
}

TEST_CASE("an augmenter inside another draws its own numbers") {
  TestHost host;
  const Entry jitter = augmenter<Jitter>("acme.jitter"), choose = augmenter<Choose>("acme.choose");
  AugmenterTest inner(host, jitter, Settings(jitter), kParts);
  plait_child child{};
  child.struct_size = sizeof child;
  child.kind = "augmenter";
  child.id = "acme.jitter";
  child.ops = jitter.implementation.ops;
  child.rules = jitter.type.rules;
  child.self = inner.self;
  child.config = inner.settings.c();
  const plait_child* made = &child;
  AugmenterTest outer(host, choose, Settings(choose).add("of", made).add("of", made), kParts);
  outer.in[0].fill({0, 0, 0, 0});
  outer.apply();
  CHECK(outer.out[0].f32()[0] == doctest::Approx(Random(3, 4).split(1).uniform()));
  child.self = nullptr;
  AugmenterTest early(host, choose, Settings(choose).add("of", made), kParts);
  CHECK_THROWS_WITH(early.apply(), "a child augmenter was used before it was made");
}

// The sum of a batch, made in memory of the host's.
struct Totals {
  static void describe(Describe<Totals>& d) { d.doc("x becomes the sum of all x"); }
  uint64_t workspace_bytes(Context&, int64_t batch) const {
    return static_cast<uint64_t>(batch) * sizeof(double);
  }
  void apply_batch(Context&, SampleCall& call) const {
    const auto [in, out] = call.part("x");
    auto* const sums = call.workspace<double>();
    for (size_t n = 0; n < in.size(); ++n) sums[n] = in.f32()[n] + (n > 0 ? sums[n - 1] : 0);
    for (float& y : out.f32()) y = static_cast<float>(sums[in.size() - 1]);
  }
};

TEST_CASE("an augmenter has as much memory as it says") {
  TestHost host;
  const Entry entry = augmenter<Totals>("acme.totals");
  testing::AugmenterTest test(host, entry, Settings(entry), {{"x", DType::f32, {}}});
  test.make_batch(3);
  test.batch.inputs[0].fill({1, 2, 4});
  test.apply_batch();
  CHECK(test.batch.outputs[0].f32()[0] == 7);
  CHECK(test.batch.outputs[0].f32()[2] == 7);
}

struct Stream {
  static void describe(Describe<Stream>& d) { d.doc("as many as it finds"); }
  void open(Context&) {}
  SourceInfo info() const {
    SourceInfo info;
    info.count = -1;
    info.parts.add("x", DType::f32, {});
    return info;
  }
  int64_t count_up_to(Context&, int64_t most) const { return std::min<int64_t>(most, 5); }
  void read(Context&, int64_t index, SampleCall& call) const {
    call.output("x").f32()[0] = static_cast<float>(index);
  }
};

TEST_CASE("a source of unknown length counts when it is asked") {
  TestHost host;
  const Entry entry = source<Stream>("acme.stream");
  const auto& ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
  const Settings settings(entry);
  void* self = nullptr;
  host.check(ops.open(host.context(), settings.c(), &self));
  PartsTaken taken;
  plait_source_info info{};
  host.check(ops.describe(self, host.context(), &info, taken.builder()));
  CHECK(info.count == -1);
  int64_t count = 0;
  for (const auto& [most, wanted] : std::vector<std::pair<int64_t, int64_t>>{{3, 3}, {100, 5}}) {
    host.check(ops.count_up_to(self, host.context(), most, &count));
    CHECK(count == wanted);
  }
  TestSample sample;
  sample.outputs.emplace_back("x", DType::f32, std::vector<int64_t>{});
  host.check(ops.read(self, host.context(), 4, sample.c()));
  CHECK(sample.outputs[0].f32()[0] == 4);
  ops.close(self);
}

TEST_CASE("a fit's sum reaches open") {
  TestHost host;
  const Entry mean_of = augmenter<MeanOf>("acme.mean_of");
  AugmenterTest first(host, mean_of, Settings(mean_of), kParts);
  const SpecList specs(kParts);
  CHECK(first.ops.fit_size(host.context(), first.settings.c(), specs.size(), specs.data()) == 2);
  first.in[0].fill({1, 2, 3, 6});
  double state[2] = {};
  std::vector<const plait_tensor*> ins, outs;
  const plait_sample_call call = first.call(ins, outs);
  for (int i = 0; i < 2; ++i) {
    host.check(first.ops.fit_observe(host.context(), first.settings.c(), &call, state));
  }
  CHECK(state[0] == 24);
  CHECK(state[1] == 8);
  const plait_fit fit{sizeof fit, 2, state};
  host.extensions[PLAIT_EXTENSION_FIT] = &fit;
  AugmenterTest second(host, mean_of, Settings(mean_of), kParts);
  second.in[0].fill({1, 2, 3, 6});
  second.apply();
  CHECK(second.out[0].f32()[3] == 3);
}

}  // namespace
}  // namespace plait::sdk
