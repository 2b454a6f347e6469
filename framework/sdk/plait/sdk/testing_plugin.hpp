// The library that is linked into a test program, driven through its table. See testing.hpp.
//
//   TestHost host;
//   const Entry descent = linked("acme.descent");
//   Made<plait_optimizer_ops> made(host, descent, Settings(descent).set("rate", 0.5));
//   host.check(made.ops().step(made.self(), host.context(), &call));
#pragma once
#include "testing.hpp"

extern "C" const plait_plugin* plait_plugin_v1(const plait_host*) noexcept;

namespace plait::sdk::testing {

// Type and implementation of that id in the linked library; either may be empty (struct_size 0). Of several
// implementations the one for the host, else the first. `kind`: where types of several kinds have the id.
inline Entry linked(const std::string& id, const std::string& kind = "") {
  const plait_plugin* plugin = plait_plugin_v1(nullptr);
  if (!plugin) throw std::runtime_error("the plugin refuses the host");
  const auto is_meant = [&](const char* of) { return kind.empty() || (of != nullptr && kind == of); };
  Entry entry;
  for (uint32_t i = 0; i < plugin->n_types; ++i) {
    const plait_type& type = *plugin->types[i];
    if (type.id != id || !is_meant(type.kind)) continue;
    if (entry.type.struct_size)
      throw std::runtime_error("\"" + id + "\" is a " + entry.type.kind + " and a " + type.kind +
                               ": say which");
    entry.type = type;
  }
  const std::string found = entry.type.struct_size ? entry.type.kind : kind;
  for (uint32_t i = 0; i < plugin->n_implementations; ++i) {
    const plait_implementation& made = *plugin->implementations[i];
    const bool says_kind = PLAIT_HAS(&made, kind);  // else it is that of the library's type of this id
    if (made.type_id != id || (says_kind && !found.empty() && found != made.kind)) continue;
    const bool is_better = !entry.implementation.struct_size || std::string(made.device_id) == kCpu;
    if (is_better) entry.implementation = made;
  }
  if (!entry.type.struct_size && !entry.implementation.struct_size) {
    throw std::runtime_error("the plugin has no \"" + id + "\"" + (kind.empty() ? "" : " of kind " + kind));
  }
  return entry;
}

// An instance of a kind whose create takes the configuration alone.
template <class Ops>
class Made {
 public:
  Made(TestHost& host, const Entry& entry, Settings settings)
      : ops_(static_cast<const Ops*>(entry.implementation.ops)), settings_(std::move(settings)) {
    host.check(ops_->create(host.context(), settings_.c(), &self_));
  }
  Made(TestHost& host, const Entry& entry) : Made(host, entry, Settings(entry)) {}
  ~Made() {
    if (self_) ops_->destroy(self_);
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  const Ops& ops() const { return *ops_; }
  void* self() const { return self_; }

 private:
  const Ops* ops_;
  Settings settings_;
  void* self_ = nullptr;
};

// Takes the parts that a source or an augmenter names.
class PartsTaken {
 public:
  PartsTaken() {
    builder_.struct_size = sizeof builder_;
    builder_.host_data = this;
    builder_.part = [](const plait_parts_builder* builder, const plait_tensor_spec* spec) {
      static_cast<PartsTaken*>(builder->host_data)->parts.emplace_back(Spec(spec));
      return int{PLAIT_OK};
    };
  }
  PartsTaken(const PartsTaken&) = delete;
  PartsTaken& operator=(const PartsTaken&) = delete;
  const plait_parts_builder* builder() const { return &builder_; }

  std::vector<PartSpec> parts;

 private:
  plait_parts_builder builder_{};
};

// The call of one sample on memory of the test's.
class TestSample {
 public:
  std::deque<TestTensor> inputs, outputs;
  std::vector<int32_t> lengths_out, second_lengths_out;
  plait_rng rng{1, 2};
  bool training = true;
  void* workspace = nullptr;

  const plait_sample_call* c() {
    in_ = pointers(inputs);
    out_ = pointers(outputs);
    lengths_out.resize(outputs.size(), -1);
    second_lengths_out.resize(outputs.size(), -1);
    call_ = {};
    call_.struct_size = sizeof call_;
    call_.n_inputs = static_cast<uint32_t>(in_.size());
    call_.inputs = in_.data();
    call_.outputs = out_.data();
    call_.lengths_out = lengths_out.data();
    call_.second_lengths_out = second_lengths_out.data();
    call_.n_outputs = static_cast<uint32_t>(out_.size());
    call_.training = training;
    call_.rng = rng;
    call_.workspace = workspace;
    return &call_;
  }

 private:
  std::vector<const plait_tensor*> in_, out_;
  plait_sample_call call_{};
};

// An augmenter made for the parts `in`; outputs of its samples are what its infer says.
class AugmenterTest {
 public:
  TestSample sample;
  TestSample batch;  // after make_batch: parts [N, ...]

  AugmenterTest(TestHost& host, const Entry& entry, Settings settings, std::vector<PartSpec> in)
      : host_(host),
        ops_(*static_cast<const plait_augmenter_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)) {
    const SpecList specs(in);
    PartsTaken taken;
    const auto& rules = *static_cast<const plait_augmenter_rules*>(entry.type.rules);
    host_.check(rules.infer(host_.context(), settings_.c(), specs.size(), specs.data(), taken.builder()));
    host_.check(ops_.create(host_.context(), settings_.c(), specs.size(), specs.data(), &self_));
    for (const PartSpec& part : in) sample.inputs.emplace_back(part);
    for (const PartSpec& part : taken.parts) sample.outputs.emplace_back(part);
  }
  ~AugmenterTest() {
    if (self_) ops_.destroy(self_);
  }
  AugmenterTest(const AugmenterTest&) = delete;
  AugmenterTest& operator=(const AugmenterTest&) = delete;

  // Fails when the augmenter does, or writes past an output's end.
  void apply() {
    call(sample, 0, [&](const plait_sample_call* c) { return ops_.apply(self_, host_.context(), c); });
  }
  // Memory for apply_batch: in and out the parts that come out, as f32 unless they are i32 or i64.
  void make_batch(int64_t samples) {
    for (const TestTensor& output : sample.outputs) {
      PartSpec part = output.spec();
      if (part.dtype != DType::i32 && part.dtype != DType::i64) part.dtype = DType::f32;
      part.shape.insert(part.shape.begin(), samples);
      batch.inputs.emplace_back(part);
      batch.outputs.emplace_back(part);
    }
  }
  void apply_batch() {
    call(batch, batch.inputs.front().spec().shape.front(),
         [&](const plait_sample_call* c) { return ops_.apply_batch(self_, host_.context(), c); });
  }

 private:
  template <class Function>
  void call(TestSample& on, int64_t samples, Function function) {
    const plait_augmenter_ops* const table = &ops_;
    uint64_t bytes = 0;
    if (PLAIT_HAS(table, workspace)) host_.check(ops_.workspace(self_, host_.context(), samples, &bytes));
    const TestTensor workspace("", DType::u8, {static_cast<int64_t>(bytes)});
    on.workspace = bytes > 0 ? workspace.view().raw() : nullptr;
    host_.check(function(on.c()));
    for (const TestTensor& output : on.outputs)
      if (!output.intact()) throw std::runtime_error("wrote past the end of " + text(output.view()));
    if (!workspace.intact()) throw std::runtime_error("wrote past the end of its workspace");
  }

  TestHost& host_;
  const plait_augmenter_ops& ops_;
  Settings settings_;
  void* self_ = nullptr;
};

}  // namespace plait::sdk::testing
