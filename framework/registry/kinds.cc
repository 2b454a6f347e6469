#include "registry/kinds.h"

#include <fmt/format.h>
#include <plait/given_file.h>
#include <plait/kinds.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "registry/endings.h"

namespace plait::inline registry {
namespace {

class Missing {
 public:
  template <class Function>
  Missing& wants(const char* name, Function function) {
    if (function == nullptr) names_.push_back(name);
    return *this;
  }
  Missing& wants_one(const char* names, bool is_there) {
    if (!is_there) names_.push_back(names);
    return *this;
  }
  Status status() const {
    if (names_.empty()) return {};
    return {Code::kInvalid, fmt::format("operations without {}", fmt::join(names_, ", "))};
  }

 private:
  std::vector<const char*> names_;
};

template <class Ops>
const Ops& as(const void* ops) {
  return *static_cast<const Ops*>(ops);
}

template <class Ops>
Missing made(const Ops& ops) {
  return Missing().wants("create", ops.create).wants("destroy", ops.destroy);
}

template <class Ops>
int make_of(const void* ops, const MakeCall& call, void** self) {
  return as<Ops>(ops).create(call.context, call.config, self);
}
template <class Ops>
int make_for_parts(const void* ops, const MakeCall& call, void** self) {
  return as<Ops>(ops).create(call.context, call.config, call.n_parts, call.parts, self);
}
int make_combiner(const void* ops, const MakeCall& call, void** self) {
  return as<plait_combiner_ops>(ops).create(call.context, call.config, call.value, self);
}
int open_source(const void* ops, const MakeCall& call, void** self) {
  return as<plait_source_ops>(ops).open(call.context, call.config, self);
}
int open_device(const void* ops, const MakeCall& call, void** self) {
  return as<plait_device_ops>(ops).open(call.context, call.config, call.device_info, self);
}

using Destroy = void (*)(void* self);
template <class Ops>
Destroy destroy_of(const void* ops) {
  return as<Ops>(ops).destroy;
}
template <class Ops>
Destroy close_of(const void* ops) {
  return as<Ops>(ops).close;
}

template <class Rules, auto kFunction>
bool has_rule(const plait_type& type) {
  return type.rules != nullptr && static_cast<const Rules*>(type.rules)->*kFunction != nullptr;
}

Status check_layer(const void* ops) {
  const auto& layer = as<plait_layer_ops>(ops);
  return made(layer).wants("forward", layer.forward).status();
}

Status check_loss(const void* ops) {
  const auto& loss = as<plait_loss_ops>(ops);
  return made(loss).wants("compute", loss.compute).status();
}

Status check_metric(const void* ops) {
  const auto& metric = as<plait_metric_ops>(ops);
  const bool names = PLAIT_HAS(&metric, describe) || (metric.n_values > 0 && metric.values != nullptr);
  const int rows = (PLAIT_HAS(&metric, row_size) ? 1 : 0) + (PLAIT_HAS(&metric, update_rows) ? 1 : 0) +
                   (PLAIT_HAS(&metric, finish_rows) ? 1 : 0);
  Missing missing = made(metric).wants_one("values or describe", names);
  if (rows == 3) return missing.status();
  return missing.wants("update", metric.update)
      .wants("finish", metric.finish)
      .wants_one("row_size, update_rows or finish_rows beside the others of the three", rows == 0)
      .status();
}

// What finishes its states is the host's implementation.
Status check_device_metric(const void* ops) {
  const auto& metric = as<plait_metric_ops>(ops);
  return made(metric).wants("update", metric.update).status();
}

Status check_optimizer(const void* ops) {
  const auto& optimizer = as<plait_optimizer_ops>(ops);
  return made(optimizer).wants("step", optimizer.step).status();
}

Status check_schedule(const void* ops) {
  const auto& schedule = as<plait_schedule_ops>(ops);
  return made(schedule).wants("value", schedule.value).status();
}

Status check_pretrainer(const void* ops) {
  const auto& pretrainer = as<plait_pretrainer_ops>(ops);
  return made(pretrainer).wants("next_stage", pretrainer.next_stage).status();
}

Status check_augmenter(const void* ops) {
  const auto& augmenter = as<plait_augmenter_ops>(ops);
  const bool applies = augmenter.apply != nullptr || augmenter.apply_batch != nullptr;
  return made(augmenter).wants_one("apply or apply_batch", applies).status();
}

Status check_device_augmenter(const void* ops) {
  const auto& augmenter = as<plait_augmenter_ops>(ops);
  return made(augmenter).wants_one("apply_samples", PLAIT_HAS(&augmenter, apply_samples)).status();
}

Status check_source(const void* ops) {
  const auto& source = as<plait_source_ops>(ops);
  return Missing()
      .wants("open", source.open)
      .wants("close", source.close)
      .wants("describe", source.describe)
      .wants("read", source.read)
      .status();
}

Status check_task(const void* ops) {
  const auto& task = as<plait_task_ops>(ops);
  return made(task).wants("map", task.map).status();
}

Status check_combiner(const void* ops) {
  const auto& combiner = as<plait_combiner_ops>(ops);
  return made(combiner).wants("begin", combiner.begin).wants("fold", combiner.fold).status();
}

// Of deltas, in one of three ways, or of keys.
Status check_reducer(const void* ops) {
  const auto& reducer = as<plait_reducer_ops>(ops);
  const bool reduces = reducer.weight != nullptr || reducer.combine != nullptr ||
                       PLAIT_HAS(&reducer, reduce) || PLAIT_HAS(&reducer, combine_whole);
  return made(reducer).wants_one("weight, combine, combine_whole or reduce", reduces).status();
}

Status check_device(const void* ops) {
  const auto& device = as<plait_device_ops>(ops);
  return Missing()
      .wants("open", device.open)
      .wants("close", device.close)
      .wants("allocate", device.allocate)
      .wants("release", device.release)
      .wants("stream_create", device.stream_create)
      .wants("stream_destroy", device.stream_destroy)
      .wants("copy_in", device.copy_in)
      .wants("copy_out", device.copy_out)
      .wants("copy", device.copy)
      .wants("fill_zero", device.fill_zero)
      .wants("add_f32", device.add_f32)
      .wants("synchronize", device.synchronize)
      .wants_one("add_to_sums or mean_of_sums beside the other of the two",
                 (PLAIT_HAS(&device, add_to_sums)) == (PLAIT_HAS(&device, mean_of_sums)))
      .status();
}

// A reducer of keys says what it makes of which values; one of whole vectors may say what it keeps.
bool has_reducer_rules(const plait_type& type) {
  const auto* rules = static_cast<const plait_reducer_rules*>(type.rules);
  return rules == nullptr || rules->infer != nullptr || PLAIT_HAS(rules, describe);
}

Status check_reducer_pair(const plait_type& type, const void* ops) {
  const auto* rules = static_cast<const plait_reducer_rules*>(type.rules);
  const bool reduces = PLAIT_HAS(&as<plait_reducer_ops>(ops), reduce);
  if (PLAIT_HAS(rules, describe) && !PLAIT_HAS(&as<plait_reducer_ops>(ops), combine_whole))
    return {Code::kInvalid, "rules for states between rounds, but operations without combine_whole"};
  if (reduces == (rules != nullptr && rules->infer != nullptr)) return {};
  return {Code::kInvalid,
          reduces ? "operations with reduce, but no rules: what it makes of which values is not said"
                  : "rules for values of keys, but operations without reduce"};
}

template <class Rules>
bool has_endings(const Rules* rules) {
  return PLAIT_HAS(rules, n_endings) && rules->endings != nullptr &&
         std::all_of(rules->endings, rules->endings + rules->n_endings, is_ending);
}

bool has_sink_rules(const plait_type& type) {
  return type.rules != nullptr && has_endings(static_cast<const plait_sink_rules*>(type.rules));
}

Status check_sink(const void* ops) {
  const auto& sink = as<plait_sink_ops>(ops);
  const bool writes = PLAIT_HAS(&sink, write_arrays) || PLAIT_HAS(&sink, write_pairs);
  return made(sink).wants_one("write_arrays or write_pairs", writes).status();
}

Status check_sink_pair(const plait_type& type, const void* ops) {
  const auto* rules = static_cast<const plait_sink_rules*>(type.rules);
  const auto* sink = static_cast<const plait_sink_ops*>(ops);
  if (PLAIT_HAS(rules, check_arrays) && !PLAIT_HAS(sink, write_arrays))
    return {Code::kInvalid, "rules for arrays, but operations without write_arrays"};
  if (PLAIT_HAS(rules, check_pairs) && !PLAIT_HAS(sink, write_pairs))
    return {Code::kInvalid, "rules for pairs, but operations without write_pairs"};
  return {};
}

// A source may be one that a block alone names.
bool has_source_rules(const plait_type& type) {
  const auto* rules = static_cast<const plait_source_rules*>(type.rules);
  return rules == nullptr || (has_endings(rules) && PLAIT_HAS(rules, file_field));
}

// What a field that the rules name has to be.
struct WantedField {
  const char* name;  // null: the source has none
  uint32_t kind, flags;
  const char* words;
};

Status check_named(const plait_type& type, const WantedField& wanted) {
  if (wanted.name == nullptr) return {};
  const std::span fields(type.fields, type.n_fields);
  const auto found = std::ranges::find_if(
      fields, [&](const plait_field* field) { return std::string_view(field->name) == wanted.name; });
  const uint32_t form = PLAIT_FIELD_REPEATED | PLAIT_FIELD_PATH;
  if (found != fields.end() && (*found)->kind == wanted.kind && ((*found)->flags & form) == wanted.flags)
    return {};
  return {Code::kInvalid, fmt::format("rules name the field \"{}\", which is {}, wanted {}", wanted.name,
                                      found == fields.end() ? "not there" : "another", wanted.words)};
}

#define PLAIT_NAMED(field) (PLAIT_HAS(rules, field) ? rules->field : nullptr)
Status check_source_fields(const plait_type& type) {
  const auto* rules = static_cast<const plait_source_rules*>(type.rules);
  const bool is_lines = rules != nullptr && (rules->flags & PLAIT_SOURCE_LINES) != 0;
  const WantedField all[] = {
      {PLAIT_NAMED(file_field), PLAIT_FIELD_STRING, PLAIT_FIELD_PATH, "a text that is a path"},
      {PLAIT_NAMED(part_field), PLAIT_FIELD_STRING, 0, "a text"},
      {PLAIT_NAMED(shape_field), PLAIT_FIELD_I64, is_lines ? 0u : uint32_t{PLAIT_FIELD_REPEATED},
       is_lines ? "a whole number" : "a list of whole numbers"},
      {PLAIT_NAMED(dtype_field), PLAIT_FIELD_ENUM, 0, "one of several words"},
      {PLAIT_NAMED(heading_field), PLAIT_FIELD_ENUM, 0, "one of several words"}};
  for (const WantedField& wanted : all) PLAIT_TRY(check_named(type, wanted));
  return {};
}
#undef PLAIT_NAMED

constexpr Kind kTable[] = {
    {.name = "layer",
     .has_rules = has_rule<plait_layer_rules, &plait_layer_rules::infer>,
     .check_ops = check_layer,
     .works_on_device = true},
    {.name = "loss",
     .has_rules = has_rule<plait_loss_rules, &plait_loss_rules::check>,
     .check_ops = check_loss,
     .works_on_device = true},
    {.name = "metric", .check_ops = check_metric, .check_device_ops = check_device_metric},
    {.name = "optimizer",
     .has_rules = has_rule<plait_optimizer_rules, &plait_optimizer_rules::describe>,
     .check_ops = check_optimizer,
     .make = make_of<plait_optimizer_ops>,
     .destroyer = destroy_of<plait_optimizer_ops>,
     .works_on_device = true},
    {.name = "schedule",
     .check_ops = check_schedule,
     .make = make_of<plait_schedule_ops>,
     .destroyer = destroy_of<plait_schedule_ops>},
    {.name = "pretrainer",
     .check_ops = check_pretrainer,
     .make = make_of<plait_pretrainer_ops>,
     .destroyer = destroy_of<plait_pretrainer_ops>,
     .writes_its_children = true},
    {.name = "augmenter",
     .has_rules = has_rule<plait_augmenter_rules, &plait_augmenter_rules::infer>,
     .check_ops = check_augmenter,
     .check_device_ops = check_device_augmenter,
     .make = make_for_parts<plait_augmenter_ops>,
     .destroyer = destroy_of<plait_augmenter_ops>,
     .made_for = Kind::For::kParts,
     .may_name_stages = true},
    {.name = "source",
     .has_rules = has_source_rules,
     .check_field_names = check_source_fields,
     .check_ops = check_source,
     .make = open_source,
     .destroyer = close_of<plait_source_ops>},
    {.name = "task",
     .has_rules = has_rule<plait_task_rules, &plait_task_rules::infer>,
     .check_ops = check_task,
     .make = make_for_parts<plait_task_ops>,
     .destroyer = destroy_of<plait_task_ops>,
     .made_for = Kind::For::kParts,
     .may_name_stages = true},
    {.name = "combiner",
     .has_rules = has_rule<plait_combiner_rules, &plait_combiner_rules::infer>,
     .check_ops = check_combiner,
     .make = make_combiner,
     .destroyer = destroy_of<plait_combiner_ops>,
     .made_for = Kind::For::kValues},
    {.name = "reducer",
     .has_rules = has_reducer_rules,
     .check_ops = check_reducer,
     .check_pair = check_reducer_pair,
     .make = make_of<plait_reducer_ops>,
     .destroyer = destroy_of<plait_reducer_ops>},
    {.name = "sink",
     .has_rules = has_sink_rules,
     .check_ops = check_sink,
     .check_pair = check_sink_pair,
     .make = make_of<plait_sink_ops>,
     .destroyer = destroy_of<plait_sink_ops>},
    {.name = "device",
     .check_ops = check_device,
     .make = open_device,
     .destroyer = close_of<plait_device_ops>},
};

#define PLAIT_KIND_NAME(kind, Name, ops) #kind,
constexpr std::string_view kNames[] = {PLAIT_KINDS(PLAIT_KIND_NAME)};
#undef PLAIT_KIND_NAME
static_assert(std::ranges::equal(kTable, kNames, {}, &Kind::name),
              "the rows are those of <plait/kinds.h>, in its order");

}  // namespace

std::span<const Kind> kind_table() { return kTable; }

const Kind* find_kind(const std::string& name) {
  const auto found = std::ranges::find_if(kTable, [&](const Kind& kind) { return name == kind.name; });
  return found == std::end(kTable) ? nullptr : found;
}

std::span<const char* const> kinds() {
  static const std::vector<const char*> names = [] {
    std::vector<const char*> list;
    for (const Kind& kind : kTable) list.push_back(kind.name);
    return list;
  }();
  return names;
}

bool is_kind(const std::string& name) { return find_kind(name) != nullptr; }

}  // namespace plait::inline registry
