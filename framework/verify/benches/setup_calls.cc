#include "verify/benches/setup_calls.h"

#include <map>

#include "verify/benches/augmenter_bench.h"
#include "verify/benches/keyed_bench.h"
#include "verify/benches/layer_case.h"
#include "verify/benches/loss_bench.h"
#include "verify/benches/metric_bench.h"
#include "verify/benches/pretrainer_bench.h"
#include "verify/benches/sink_bench.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/heap.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

using List = std::vector<SetupCalls>;

// Calls in a row with one context; the first that fails ends the row.
class Row {
 public:
  explicit Row(uint64_t refused) : refusal_(refused) {}
  CallContext& context() { return context_; }
  plait_context* c() { return context_.raw(); }
  template <class Function>
  bool call(Function&& function) {
    return code_ == PLAIT_OK && (code_ = function()) == PLAIT_OK;
  }
  // Ends the refusing too.
  Status status() {
    if (heap_watch() != nullptr) heap_watch()->stop();
    return context_.status(code_);
  }

 private:
  CallContext context_;
  int code_ = PLAIT_OK;
  Refusal refusal_;
};

// Builders that take every answer and allocate nothing.
plait_layer_builder no_layer_builder() {
  plait_layer_builder b{};
  b.struct_size = sizeof b;
  b.output = [](const plait_layer_builder*, const plait_tensor_spec*) { return int{PLAIT_OK}; };
  b.parameter = [](const plait_layer_builder*, const plait_parameter_spec*) { return int{PLAIT_OK}; };
  b.buffer = b.parameter;
  b.multiply_adds = [](const plait_layer_builder*, double) {};
  b.is_epilogue = [](const plait_layer_builder*, const plait_epilogue*) {};
  b.accepts_epilogue = [](const plait_layer_builder*, const char*) {};
  b.in_place = [](const plait_layer_builder*) {};
  b.input_range = [](const plait_layer_builder*, uint32_t, int64_t, int64_t) { return int{PLAIT_OK}; };
  b.mirror = [](const plait_layer_builder*, const plait_block*) { return int{PLAIT_OK}; };
  b.activation = [](const plait_layer_builder*) {};
  return b;
}

plait_layer_needs no_layer_needs() {
  plait_layer_needs n{};
  n.struct_size = sizeof n;
  n.saved = n.workspace = n.prepared = [](const plait_layer_needs*, uint64_t) {};
  n.stored_elements = [](const plait_layer_needs*, uint32_t, uint64_t) {};
  n.backward_reads = [](const plait_layer_needs*, uint32_t) {};
  n.accumulates = [](const plait_layer_needs*) {};
  return n;
}

plait_parts_builder no_parts_builder() {
  plait_parts_builder b{};
  b.struct_size = sizeof b;
  b.part = [](const plait_parts_builder*, const plait_tensor_spec*) { return int{PLAIT_OK}; };
  return b;
}

Status set_up_layer(Trial& trial, const LayerCase& made, uint64_t refused) {
  const RawParts inputs(made.inputs), outputs(made.shapes.outputs);
  const std::vector<uint8_t> needed(made.inputs.size(), 1);
  plait_layer_request request{};
  request.struct_size = sizeof request;
  request.n_inputs = inputs.size();
  request.config = &made.config();
  request.inputs = inputs.data();
  const plait_layer_builder builder = no_layer_builder();
  const plait_layer_needs needs = no_layer_needs();
  const auto& ops = trial.ops<plait_layer_ops>();
  const auto& rules = trial.rules<plait_layer_rules>();
  void* self = nullptr;
  PLAIT_ASSIGN(const auto side, DeviceSide::create(trial.device()));
  Row row(refused);
  side->serve(row.context());
  row.call([&] { return rules.infer(row.c(), &request, &builder); });
  request.input_gradient_needed = needed.data();
  request.training = 1;
  request.n_outputs = outputs.size(), request.outputs = outputs.data();
  if (row.call([&] { return ops.create(row.c(), &request, &needs, &self); })) ops.destroy(self);
  return row.status();
}

Result<List> layers(Trial& trial, size_t count) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, count));
  List list;
  for (const LayerCase& made : cases)
    list.push_back({made.text(), [&trial, made](uint64_t k) { return set_up_layer(trial, made, k); }});
  return list;
}

Status set_up_loss(Trial& trial, const LossCase& made, uint64_t refused) {
  LossQuestion question(made);
  const auto& ops = trial.ops<plait_loss_ops>();
  void* self = nullptr;
  PLAIT_ASSIGN(const auto side, DeviceSide::create(trial.device()));
  Row row(refused);
  side->serve(row.context());
  row.call([&] { return trial.rules<plait_loss_rules>().check(row.c(), question.raw()); });
  if (row.call([&] { return ops.create(row.c(), question.raw(), &self); })) ops.destroy(self);
  return row.status();
}

Result<List> losses(Trial& trial, size_t count) {
  PLAIT_ASSIGN(const auto cases, loss_cases(trial));
  List list;
  for (const LossCase& made : cases)
    if (list.size() < count)
      list.push_back({made.text(), [&trial, made](uint64_t k) { return set_up_loss(trial, made, k); }});
  return list;
}

Status set_up_metric(Trial& trial, const MetricBench& made, uint64_t refused) {
  const plait_tensor_spec prediction = made.prediction.raw(), target = made.target.raw();
  const auto& ops = trial.ops<plait_metric_ops>();
  uint32_t state_size = 0;
  void* self = nullptr;
  Row row(refused);
  if (row.call(
          [&] { return ops.create(row.c(), made.config.get(), &prediction, &target, &state_size, &self); }))
    ops.destroy(self);
  if (!PLAIT_HAS(&ops, describe)) return row.status();
  plait_metric_request request{};
  request.struct_size = sizeof request;
  request.config = made.config.get();
  request.prediction = &prediction;
  request.target = &target;
  plait_metric_builder builder{};
  builder.struct_size = sizeof builder;
  builder.value = [](const plait_metric_builder*, const plait_metric_value*) { return int{PLAIT_OK}; };
  row.call([&] { return ops.describe(row.c(), &request, &builder); });
  return row.status();
}

Result<List> metrics(Trial& trial, size_t count) {
  PLAIT_ASSIGN(auto benches, metric_benches(trial));
  List list;
  for (auto& one : benches) {
    const std::shared_ptr<MetricBench> made = std::move(one);
    if (list.size() < count)
      list.push_back({made->text(), [&trial, made](uint64_t k) { return set_up_metric(trial, *made, k); }});
  }
  return list;
}

// The instance lends its configuration, in which children are.
Status set_up_augmenter(const AugmenterBench& made, uint64_t refused) {
  const plait_augmenter_ops* ops = &made.ops();
  const auto& rules = *static_cast<const plait_augmenter_rules*>(made.instance.entry().type->rules);
  const plait_config* config = &made.instance.config();
  const RawParts parts(made.in);
  const plait_parts_builder builder = no_parts_builder();
  std::vector<double> state;
  if (wants_fit(*ops)) {
    PLAIT_ASSIGN(state, fit_augmenter(*ops, *config, made.in, 0, 4));
  }
  const plait_fit fitted{sizeof fitted, static_cast<uint32_t>(state.size()), state.data()};
  void* self = nullptr;
  Row row(refused);
  if (!state.empty()) row.context().set_fit(&fitted);
  row.call([&] { return rules.infer(row.c(), config, parts.size(), parts.data(), &builder); });
  if (row.call([&] { return ops->create(row.c(), config, parts.size(), parts.data(), &self); }))
    ops->destroy(self);
  return row.status();
}

Result<List> augmenters(Trial& trial, size_t count) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, count));
  List list;
  for (const Example& one : configs) {
    for (const Parts& parts : parts_for(one)) {
      auto bench = make_augmenter_bench(trial, one, parts);
      if (!bench || list.size() >= count) continue;
      const auto made = std::make_shared<AugmenterBench>(std::move(*bench));
      list.push_back({made->text(), [made](uint64_t k) { return set_up_augmenter(*made, k); }});
    }
  }
  if (list.empty()) return skipped("no parts found that the augmenter accepts");
  return list;
}

Status set_up_task(const TaskBench& made, uint64_t refused) {
  const plait_task_ops& ops = made.ops();
  const auto& rules = *static_cast<const plait_task_rules*>(made.instance.entry().type->rules);
  const plait_config* config = &made.instance.config();
  const RawParts parts(made.parts);
  plait_task_builder builder{};
  builder.struct_size = sizeof builder;
  builder.keyed = [](const plait_task_builder*, uint32_t) { return int{PLAIT_OK}; };
  builder.accumulator = [](const plait_task_builder*, uint32_t, const plait_tensor_spec*) {
    return int{PLAIT_OK};
  };
  builder.state = [](const plait_task_builder*, const plait_tensor_spec*) { return int{PLAIT_OK}; };
  builder.output = builder.state;
  void* self = nullptr;
  Row row(refused);
  row.call([&] { return rules.infer(row.c(), config, parts.size(), parts.data(), &builder); });
  if (row.call([&] { return ops.create(row.c(), config, parts.size(), parts.data(), &self); }))
    ops.destroy(self);
  return row.status();
}

Result<List> tasks(Trial& trial, size_t count) {
  PLAIT_ASSIGN(auto benches, task_benches(trial, count));
  List list;
  for (TaskBench& one : benches) {
    const auto made = std::make_shared<TaskBench>(std::move(one));
    list.push_back({made->text(), [made](uint64_t k) { return set_up_task(*made, k); }});
  }
  return list;
}

Status set_up_combiner(const CombinerBench& made, uint64_t refused) {
  const plait_combiner_ops& ops = made.ops();
  const auto& rules = *static_cast<const plait_combiner_rules*>(made.instance.entry().type->rules);
  const plait_config* config = &made.instance.config();
  uint32_t kind = 0, bytes = 0;
  void* self = nullptr;
  Row row(refused);
  row.call([&] { return rules.infer(row.c(), config, made.in, &kind, &bytes); });
  if (row.call([&] { return ops.create(row.c(), config, made.in, &self); })) ops.destroy(self);
  return row.status();
}

Result<List> combiners(Trial& trial, size_t count) {
  PLAIT_ASSIGN(auto benches, combiner_benches(trial, count));
  List list;
  for (CombinerBench& one : benches) {
    const auto made = std::make_shared<CombinerBench>(std::move(one));
    list.push_back({made->text(), [made](uint64_t k) { return set_up_combiner(*made, k); }});
  }
  return list;
}

using SetUpInstance = Status (*)(Trial& trial, const Instance& made, uint64_t refused);

Result<List> instances(Trial& trial, size_t count, SetUpInstance set_up) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, count));
  List list;
  std::string refusal;
  for (const Example& one : configs) {
    trial.doing("create, " + config_text(*one.config));
    CallContext context;
    PLAIT_ASSIGN(const auto side, DeviceSide::create(trial.device()));
    side->serve(context);
    auto opened =
        create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
    if (!opened) {
      refusal = opened.status().message();
      continue;
    }
    const auto made = std::make_shared<Instance>(std::move(*opened));
    list.push_back(
        {config_text(*one.config), [&trial, made, set_up](uint64_t k) { return set_up(trial, *made, k); }});
  }
  if (list.empty()) return skipped("create refuses what can be guessed: " + refusal);
  return list;
}

template <class Ops>
Status set_up_plain(Trial&, const Instance& made, uint64_t refused) {
  const Ops* ops = made.ops<Ops>();
  void* self = nullptr;
  Row row(refused);
  if (row.call([&] { return ops->create(row.c(), &made.config(), &self); })) ops->destroy(self);
  return row.status();
}

Status set_up_optimizer(Trial& trial, const Instance& made, uint64_t refused) {
  plait_optimizer_builder builder{};
  builder.struct_size = sizeof builder;
  builder.slot = [](const plait_optimizer_builder*, const plait_slot_spec*) { return int{PLAIT_OK}; };
  const auto* ops = made.ops<plait_optimizer_ops>();
  void* self = nullptr;
  PLAIT_ASSIGN(const auto side, DeviceSide::create(trial.device()));
  Row row(refused);
  side->serve(row.context());
  row.call([&] { return trial.rules<plait_optimizer_rules>().describe(row.c(), &made.config(), &builder); });
  if (row.call([&] { return ops->create(row.c(), &made.config(), &self); })) ops->destroy(self);
  return row.status();
}

Status set_up_source(Trial&, const Instance& made, uint64_t refused) {
  const auto* ops = made.ops<plait_source_ops>();
  const plait_parts_builder builder = no_parts_builder();
  plait_source_info info{};
  info.struct_size = sizeof info;
  void* self = nullptr;
  Row row(refused);
  if (row.call([&] { return ops->open(row.c(), &made.config(), &self); })) {
    row.call([&] { return ops->describe(self, row.c(), &info, &builder); });
    ops->close(self);
  }
  return row.status();
}

Status set_up_pretrainer(Trial& trial, const Instance& made, uint64_t refused) {
  const auto* ops = made.ops<plait_pretrainer_ops>();
  const plait_stage_builder builder = no_stage_builder();
  PLAIT_ASSIGN(const ToyNetwork* toy, toy_network(trial));
  const PretrainRequest request(toy->network, 0, 100);
  void* self = nullptr;
  Row row(refused);
  if (row.call([&] { return ops->create(row.c(), &made.config(), &self); })) {
    row.context().set_extension(PLAIT_EXTENSION_PRETRAIN_TASK, no_stage_tasks());
    row.call([&] { return ops->next_stage(self, row.c(), request.raw(), &builder); });
    ops->destroy(self);
  }
  return row.status();
}

Status set_up_device(Trial&, const Instance& made, uint64_t refused) {
  const auto* ops = made.ops<plait_device_ops>();
  plait_device_info info{};
  info.struct_size = sizeof info;
  void *self = nullptr, *stream = nullptr, *memory = nullptr;
  Row row(refused);
  if (!row.call([&] { return ops->open(row.c(), &made.config(), &info, &self); })) return row.status();
  if (row.call([&] { return ops->stream_create(self, row.c(), &stream); })) {
    row.context().set_device(ops, self, stream);
    if (row.call([&] { return ops->allocate(self, row.c(), 4096, &memory); })) {
      row.call([&] { return ops->fill_zero(self, row.c(), memory, 4096); });
      row.call([&] { return ops->synchronize(self, row.c()); });
      ops->release(self, memory);
    }
    ops->stream_destroy(self, stream);
  }
  ops->close(self);
  return row.status();
}

Status set_up_sink(Trial& trial, const Instance& made, uint64_t refused) {
  const auto* ops = made.ops<plait_sink_ops>();
  std::vector<SinkArraySpec> specs;  // the first of the usual ones that it takes
  for (const auto& one : usual_arrays()) {
    CallContext context;
    if (one.size() != 1 || !check_arrays(made.entry(), made.config(), one, context)) continue;
    specs = one;
    break;
  }
  if (specs.empty()) specs = usual_arrays().front();
  const FilledArrays arrays = draw_arrays(trial.dice(), specs);
  const RawSinkArrays declared(specs, {}), filled(specs, {arrays.front().bytes.data()});
  const auto& rules = trial.rules<plait_sink_rules>();
  plait_byte_taker taker{};
  taker.struct_size = sizeof taker;
  taker.append = [](const plait_byte_taker*, plait_str) { return int{PLAIT_OK}; };
  const bool writes = PLAIT_HAS(ops, write_arrays), checks = PLAIT_HAS(&rules, check_arrays);
  void* self = nullptr;
  Row row(refused);
  if (writes && checks)
    row.call([&] { return rules.check_arrays(row.c(), &made.config(), declared.size(), declared.data()); });
  if (row.call([&] { return ops->create(row.c(), &made.config(), &self); })) {
    if (writes)
      row.call([&] { return ops->write_arrays(self, row.c(), filled.size(), filled.data(), &taker); });
    ops->destroy(self);
  }
  return row.status();
}

}  // namespace

Result<List> layer_setup_calls(Trial& trial, size_t count) { return layers(trial, count); }
Result<List> loss_setup_calls(Trial& trial, size_t count) { return losses(trial, count); }
Result<List> metric_setup_calls(Trial& trial, size_t count) { return metrics(trial, count); }
Result<List> augmenter_setup_calls(Trial& trial, size_t count) { return augmenters(trial, count); }
Result<List> task_setup_calls(Trial& trial, size_t count) { return tasks(trial, count); }
Result<List> combiner_setup_calls(Trial& trial, size_t count) { return combiners(trial, count); }
Result<List> optimizer_setup_calls(Trial& trial, size_t count) {
  return instances(trial, count, set_up_optimizer);
}
Result<List> schedule_setup_calls(Trial& trial, size_t count) {
  return instances(trial, count, set_up_plain<plait_schedule_ops>);
}
Result<List> pretrainer_setup_calls(Trial& trial, size_t count) {
  return instances(trial, count, set_up_pretrainer);
}
Result<List> source_setup_calls(Trial& trial, size_t count) { return instances(trial, count, set_up_source); }
Result<List> reducer_setup_calls(Trial& trial, size_t count) {
  return instances(trial, count, set_up_plain<plait_reducer_ops>);
}
Result<List> sink_setup_calls(Trial& trial, size_t count) { return instances(trial, count, set_up_sink); }
Result<List> device_setup_calls(Trial& trial, size_t count) { return instances(trial, count, set_up_device); }

Result<List> setup_calls(Trial& trial, size_t count) {
#define PLAIT_KIND_SETUP(kind, Name, ops) {#kind, kind##_setup_calls},
  static const std::map<std::string, Result<List> (*)(Trial&, size_t)> kMakers = {
      PLAIT_KINDS(PLAIT_KIND_SETUP)};
#undef PLAIT_KIND_SETUP
  PLAIT_ASSIGN(auto all, kMakers.at(trial.type().kind)(trial, count));
  List good;
  Status refusal = skipped("no case found");
  for (SetupCalls& one : all) {
    trial.doing("create and destroy, " + one.what);
    const Status status = one.make(0);
    if (status)
      good.push_back(std::move(one));
    else
      refusal = status;
  }
  if (good.empty()) return refusal;
  return good;
}

}  // namespace plait::inline verify
