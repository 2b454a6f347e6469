// The exported table, implementations for other devices, and a device.
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <plait/sdk.hpp>
#include <plait/sdk/testing.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;

namespace {

struct Twice {
  double factor = 2;
  static void describe(Describe<Twice>& d) {
    d.doc("factor * x");
    d.details("Shapes: any.");
    d.field("factor", &Twice::factor).doc("factor");
  }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = static_cast<float>(factor * x[i]);
  }
  void backward(Context&, In, In dy, Out dx) const {
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = static_cast<float>(factor * dy[i]);
  }
};

// Another implementation of the type: its fields are those of Twice.
struct TwiceElsewhere : Twice {
  void forward(Context& c, In x, Out y) const {
    Twice::forward(c, x, y);
    y[0] += 1;
  }
};

// Host memory that counts what it gave.
struct Counting {
  int live = 0;
  static void describe(Describe<Counting>& d) { d.doc("host memory"); }
  DeviceInfo open(Context&) { return {"counting memory", true, 1 << 20}; }
  void* allocate(Context&, uint64_t bytes) {
    if (bytes > 1 << 20) throw std::bad_alloc();
    ++live;
    return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  void release(void* memory) {
    --live;
    std::free(memory);
  }
  void* stream_create(Context&) { return this; }
  void stream_destroy(void*) {}
  void copy_in(Context& c, void* to, const void* from, uint64_t bytes) { copy(c, to, from, bytes); }
  void copy_out(Context& c, void* to, const void* from, uint64_t bytes) { copy(c, to, from, bytes); }
  void copy(Context& c, void* to, const void* from, uint64_t bytes) {
    if (c.stream() != this) throw Error("wrong stream");
    std::memcpy(to, from, bytes);
  }
  void fill_zero(Context&, void* memory, uint64_t bytes) { std::memset(memory, 0, bytes); }
  void add_f32(Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(Context&) {}
  const void* extension(std::string_view name) { return name == "counting.live/1" ? &live : nullptr; }
};

}  // namespace

PLAIT_PLUGIN("acme.test", "1.2.0", "BSD-3-Clause", layer<Twice>("acme.twice"),
             device<Counting>("acme.counting"), implementation<Twice>("acme.twice", "acme.counting"), Entry{},
             implementation<TwiceElsewhere>("acme.twice", "acme.elsewhere"),
             numerics([] { return std::string("acme BLAS: 2.1"); }),
             numerics([] { return std::string("kernels: wide\n"); }));

TEST_CASE("the exported function gives a complete table") {
  const plait_plugin* plugin = plait_plugin_v1(nullptr);
  REQUIRE(plugin);
  CHECK(plugin == plait_plugin_v1(nullptr));
  CHECK(plugin->struct_size == sizeof(plait_plugin));
  CHECK(plugin->abi_draft == PLAIT_ABI_DRAFT);
  CHECK(std::string(plugin->id) == "acme.test");
  CHECK(std::string(plugin->version) == "1.2.0");
  CHECK(std::string(plugin->license) == "BSD-3-Clause");
  CHECK(std::strlen(plugin->built_with) > 0);
  REQUIRE(plugin->n_types == 2);
  REQUIRE(plugin->n_implementations == 4);  // without the empty entry
  CHECK(std::string(plugin->types[0]->kind) == "layer");
  CHECK(std::string(plugin->types[0]->id) == "acme.twice");
  CHECK(std::string(plugin->types[0]->doc) == "factor * x");
  CHECK(std::string(plugin->types[0]->details) == "Shapes: any.");
  CHECK(std::string(plugin->types[1]->kind) == "device");
  CHECK(std::string(plugin->implementations[0]->device_id) == "host");
  CHECK(std::string(plugin->implementations[2]->type_id) == "acme.twice");
  CHECK(std::string(plugin->implementations[2]->device_id) == "acme.counting");
  CHECK(plugin->implementations[2]->ops == plugin->implementations[0]->ops);
  CHECK(std::string(plugin->implementations[3]->device_id) == "acme.elsewhere");
  for (uint32_t i = 0; i < plugin->n_implementations; ++i)
    CHECK(std::string(plugin->implementations[i]->kind) == (i == 1 ? "device" : "layer"));
}

struct Answers {
  static void describe(Describe<Answers>& d) { d.doc("samples, on a device"); }
  size_t state_size(Spec, Spec) const { return 1; }
  void update(Context&, Tensor prediction, Tensor, std::span<double> state) const {
    state[0] += static_cast<double>(prediction.shape(0));
  }
};
struct Negative {
  static void describe(Describe<Negative>& d) { d.doc("negatives, on a device"); }
  uint64_t workspace_bytes(Context&, int64_t batch) const { return static_cast<uint64_t>(batch) * 4; }
  void apply_samples(Context&, SamplesCall& call) const {
    const auto [in, out] = call.part("x");
    for (size_t i = 0; i < in.size(); ++i) out.f32()[i] = -in.f32()[i];
  }
};

TEST_CASE("a metric and an augmenter on a device need no more than what is called there") {
  const auto metric = implementation<Answers>("acme.answers", "acme.counting");
  static_assert(std::is_same_v<decltype(metric)::Implements, Metric>);
  CHECK(std::string(metric.implementation.kind) == "metric");
  const auto* counts = static_cast<const plait_metric_ops*>(metric.implementation.ops);
  CHECK((counts->create && counts->update && counts->destroy));
  CHECK((counts->finish == nullptr));

  const auto augmenter = implementation<Negative>("acme.negative", "acme.counting");
  static_assert(std::is_same_v<decltype(augmenter)::Implements, Augmenter>);
  const auto* ops = static_cast<const plait_augmenter_ops*>(augmenter.implementation.ops);
  CHECK((ops->create && ops->apply_samples && ops->workspace && ops->destroy));
  CHECK((ops->apply == nullptr));
}

TEST_CASE("apply_samples says which outputs it has written") {
  const int64_t shape[] = {2, 3};
  float x[6] = {1, 2, 3, 4, 5, 6}, y[6] = {}, labels[6] = {};
  const auto tensor_at = [&](float* data, const char* name) {
    plait_tensor tensor{};
    tensor.struct_size = sizeof tensor, tensor.dtype = PLAIT_F32, tensor.rank = 2, tensor.variable_axis = -1;
    tensor.shape = shape, tensor.data = data, tensor.name = name;
    return tensor;
  };
  const plait_tensor in[] = {tensor_at(x, "x"), tensor_at(labels, "label")};
  const plait_tensor out[] = {tensor_at(labels, "label"), tensor_at(y, "x")};
  const plait_tensor* const inputs[] = {&in[0], &in[1]};
  const plait_tensor* const outputs[] = {&out[0], &out[1]};
  uint8_t written[2] = {};
  plait_sample_call call{};
  call.struct_size = sizeof call;
  call.n_inputs = call.n_outputs = 2;
  call.inputs = inputs, call.outputs = outputs, call.written = written;
  const auto entry = implementation<Negative>("acme.negative", "acme.counting");
  const auto* ops = static_cast<const plait_augmenter_ops*>(entry.implementation.ops);
  testing::TestHost host;
  const Negative negative;
  REQUIRE(ops->apply_samples(&negative, host.context(), &call) == PLAIT_OK);
  CHECK(y[5] == -6);
  CHECK(written[0] == 0);
  CHECK(written[1] == 1);
}

TEST_CASE("the note says the kind of what is only implemented") {
  const std::string text = plait_plugin_note.text;
  CHECK(text.find("\nimplementation layer acme.twice acme.counting\n") != std::string::npos);
  CHECK(text.find("\nmore\n") != std::string::npos);  // the empty entry
}

TEST_CASE("a derived struct has the fields of the one that describes them, and its own functions") {
  static_assert(std::is_same_v<DescribedAs<TwiceElsewhere>, Twice>);
  static_assert(std::is_same_v<DescribedAs<Twice>, Twice>);
  testing::TestHost host;
  Entry entry = layer<Twice>("acme.twice");
  entry.implementation = implementation<TwiceElsewhere>("acme.twice", "acme.elsewhere").implementation;
  testing::LayerTest test(host, entry, testing::Settings(entry).set("factor", 3),
                          {{"x", DType::f32, {1, 2}}});
  test.input().fill({1, 2});
  test.forward();
  CHECK(test.output().f32()[0] == 4);
  CHECK(test.output().f32()[1] == 6);
}

TEST_CASE("what else decides a library's bits is told line by line") {
  const plait_plugin* plugin = plait_plugin_v1(nullptr);
  REQUIRE((plugin->get_extension != nullptr));
  const auto* numerics = static_cast<const plait_numerics*>(plugin->get_extension(PLAIT_EXTENSION_NUMERICS));
  REQUIRE(numerics);
  CHECK(numerics->struct_size == sizeof(plait_numerics));
  CHECK(std::string(numerics->text()) == "acme BLAS: 2.1\nkernels: wide\n");
  CHECK(plugin->get_extension("acme.none/1") == nullptr);
}

TEST_CASE("of several implementations in a test program, the host's is taken") {
  const plait_plugin* plugin = plait_plugin_v1(nullptr);
  CHECK(testing::linked("acme.twice").implementation.ops == plugin->implementations[0]->ops);
  CHECK(std::string(testing::linked("acme.twice").implementation.device_id) == "host");
}

TEST_CASE("a device through its table") {
  testing::TestHost host;
  const Entry entry = device<Counting>("acme.counting");
  const auto& ops = *static_cast<const plait_device_ops*>(entry.implementation.ops);
  plait_device_info info{};
  void *self = nullptr, *memory = nullptr, *stream = nullptr;
  host.check(ops.open(host.context(), testing::Settings().c(), &info, &self));
  CHECK(info.flags == PLAIT_DEVICE_HOST_MEMORY);
  CHECK(info.memory_bytes == 1 << 20);
  host.check(ops.stream_create(self, host.context(), &stream));
  CHECK(ops.allocate(self, host.context(), 2 << 20, &memory) == PLAIT_FAILED);
  CHECK(host.code == PLAIT_ERROR_MEMORY);
  host.check(ops.allocate(self, host.context(), 8, &memory));
  CHECK(*static_cast<const int*>(ops.get_extension(self, "counting.live/1")) == 1);
  CHECK(ops.get_extension(self, "nothing/1") == nullptr);

  plait_context* context = host.context();
  context->stream = stream;
  const float in[2] = {1, 2};
  float out[2] = {};
  host.check(ops.copy_in(self, context, memory, in, 8));
  host.check(ops.add_f32(self, context, static_cast<float*>(memory), in, 2));
  host.check(ops.copy_out(self, context, out, memory, 8));
  host.check(ops.synchronize(self, context));
  CHECK(out[1] == 4);
  context->stream = nullptr;
  CHECK(ops.copy(self, context, memory, in, 8) == PLAIT_FAILED);
  CHECK(host.message == "wrong stream");
  ops.release(self, memory);
  ops.stream_destroy(self, stream);
  ops.close(self);
}
