#include "graph/optimizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/shown.h"

namespace plait::inline graph {
namespace {

int add_slot(const plait_optimizer_builder* builder, const plait_slot_spec* spec) {
  auto& slots = *static_cast<std::vector<SlotInfo>*>(builder->host_data);
  slots.push_back({spec->name, spec->reduce ? spec->reduce : uint32_t{PLAIT_REDUCE_MEAN32}, spec->initial});
  return PLAIT_OK;
}

// The first value of a numeric field; 0 for one that is absent.
double number_of(const plait_config& config, const char* name) {
  const ConfigField* field = config.find(name);
  if (field == nullptr || field->values.empty()) return 0;
  const ConfigValue& value = field->values.front();
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  return 0;
}

}  // namespace

Result<std::unique_ptr<OptimizerInstance>> OptimizerInstance::create(
    const Registry& registry, const PluginSpec& optimizer, const std::vector<ScheduleSpec>& schedules,
    const std::string& device_id) {
  std::unique_ptr<OptimizerInstance> made(new OptimizerInstance);
  const std::string place = optimizer.where.text();
  CallContext context;
  auto instance = create_instance(registry, *optimizer.entry, *optimizer.config, device_id, context);
  if (!instance) return instance.status().at(place);
  made->instance_ = std::move(instance).value();
  PLAIT_TRY(made->describe(*optimizer.entry->type).at(place));
  for (const SlotInfo& slot : made->slots_) PLAIT_TRY(check_name(slot.name, "slot").at(place));
  made->find_runtime_fields(*optimizer.entry->type);
  for (const ScheduleSpec& schedule : schedules) {
    PLAIT_TRY(made->add_schedule(registry, schedule).at(schedule.plugin.where.text()));
  }
  return made;
}

bool OptimizerInstance::resets_slots() const {
  return !slots_.empty() &&
         std::ranges::all_of(slots_, [](const SlotInfo& slot) { return slot.reduce == PLAIT_REDUCE_RESET; });
}

Status OptimizerInstance::describe(const plait_type& type) {
  const auto* rules = static_cast<const plait_optimizer_rules*>(type.rules);
  if (rules == nullptr) return {};
  flags_ = rules->flags;
  const bool observes = PLAIT_HAS(&ops(), observe);
  if (needs_all_gradients() && !observes) {
    return {Code::kPlugin, fmt::format("{} wants to observe all gradients but has no observe", type.id)};
  }
  if (plain() && elementwise()) {
    return {Code::kPlugin,
            fmt::format("{} says that it is elementwise, and that it wants whole parameters", type.id)};
  }
  if (!PLAIT_HAS(rules, describe)) return {};
  plait_optimizer_builder builder{};
  builder.struct_size = sizeof builder;
  builder.host_data = &slots_;
  builder.slot = add_slot;
  CallContext context;
  PLAIT_TRY(context.call([&] { return rules->describe(context.raw(), &instance_.config(), &builder); })
                .at(type.id));
  for (const SlotInfo& slot : slots_) {
    if (slot.reduce < PLAIT_REDUCE_VARIANCE) continue;
    return {Code::kPlugin, fmt::format("{} declares the slot \"{}\" with rule {}, which slots cannot have",
                                       type.id, slot.name, slot.reduce)};
  }
  return {};
}

void OptimizerInstance::find_runtime_fields(const plait_type& type) {
  for (uint32_t i = 0; i < type.n_fields; ++i) {
    const plait_field& field = *type.fields[i];
    if ((field.flags & PLAIT_FIELD_RUNTIME) == 0) continue;
    if (std::string(field.name) == "rate") rate_field_ = static_cast<int>(runtime_base_.size());
    runtime_names_.push_back(field.name);
    runtime_base_.push_back(number_of(instance_.config(), field.name));
  }
}

std::string OptimizerInstance::Scheduled::name() const {
  return fmt::format("{} ({})", schedule.entry().type->id, where.text());
}

// One that may end training needs none.
Result<size_t> OptimizerInstance::field_of(const ScheduleSpec& schedule) const {
  if (schedule.field.empty()) return kNoField;
  const auto found = std::ranges::find(runtime_names_, schedule.field);
  if (found == runtime_names_.end()) {
    return Status(Code::kInvalid, fmt::format("a schedule for \"{}\": {} can be scheduled in {}: {}",
                                              schedule.field, runtime_names_.empty() ? "nothing" : "what",
                                              instance_.entry().type->id, fmt::join(runtime_names_, ", ")));
  }
  const auto field = static_cast<size_t>(found - runtime_names_.begin());
  if (std::ranges::any_of(schedules_, [&](const Scheduled& other) { return other.field == field; })) {
    return Status(Code::kInvalid, fmt::format("a second schedule for \"{}\"", schedule.field));
  }
  return field;
}

Status OptimizerInstance::add_schedule(const Registry& registry, const ScheduleSpec& schedule) {
  PLAIT_ASSIGN(const size_t field, field_of(schedule));
  CallContext context;
  PLAIT_ASSIGN(Instance made, create_instance(registry, *schedule.plugin.entry, *schedule.plugin.config,
                                              PLAIT_HOST_DEVICE, context));
  Scheduled scheduled{field, std::move(made), schedule.plugin.where};
  if (const plait_schedule_ops* ops = &scheduled.ops(); PLAIT_HAS(ops, monitor)) {
    const char* const name = ops->monitor(scheduled.schedule.self());
    scheduled.monitors = name != nullptr;
    if (name != nullptr) scheduled.monitor = name;
  }
  schedules_.push_back(std::move(scheduled));
  return {};
}

std::string OptimizerInstance::length_bound_schedule() const {
  for (const Scheduled& one : schedules_) {
    const plait_schedule_ops* ops = &one.ops();
    if (PLAIT_HAS(ops, ignores_total) && ops->ignores_total(one.schedule.self()) != 0) continue;
    if (one.field == kNoField) return "the schedule " + one.name();
    return fmt::format("the schedule of {}, {}", runtime_names_[one.field], one.name());
  }
  return "";
}

std::vector<Monitored> OptimizerInstance::monitored() const {
  std::vector<Monitored> all;
  for (const Scheduled& one : schedules_)
    if (one.monitors) all.push_back({one.monitor, one.schedule.entry().type->id, one.where});
  return all;
}

plait_schedule_call OptimizerInstance::call_of(const Scheduled& scheduled, const Progress& progress) const {
  plait_schedule_call call{};
  call.struct_size = sizeof call;
  call.base = scheduled.field == kNoField ? 0 : runtime_base_[scheduled.field];
  call.step = progress.step;
  call.total_steps = progress.total_steps;
  call.steps_per_epoch = progress.steps_per_epoch;
  if (progress.evaluations == nullptr) return call;
  const std::string& monitor = scheduled.monitor.empty() ? monitor_ : scheduled.monitor;
  const EvaluationHistory::View seen =
      scheduled.monitors ? progress.evaluations->of(monitor) : progress.evaluations->all();
  call.n_evaluations = static_cast<uint32_t>(seen.size());
  call.evaluations = seen.data();
  return call;
}

Status OptimizerInstance::runtime(const Progress& progress, std::span<double> values) const {
  std::ranges::copy(runtime_base_, values.begin());
  for (const Scheduled& one : schedules_) {
    if (one.field == kNoField) continue;
    const plait_schedule_call call = call_of(one, progress);
    CallContext context;
    const Status status = context.call(
        [&] { return one.ops().value(one.schedule.self(), context.raw(), &call, &values[one.field]); });
    if (!status) return status.at(fmt::format("schedule {}", one.schedule.entry().type->id));
  }
  return {};
}

Result<std::string> OptimizerInstance::wants_end(const Progress& progress) const {
  for (const Scheduled& one : schedules_) {
    const plait_schedule_ops* ops = &one.ops();
    if (!PLAIT_HAS(ops, stop)) continue;
    const plait_schedule_call call = call_of(one, progress);
    int32_t stop = 0;
    CallContext context;
    const Status status =
        context.call([&] { return ops->stop(one.schedule.self(), context.raw(), &call, &stop); });
    if (!status) return status.at(fmt::format("schedule {}", one.schedule.entry().type->id));
    if (stop != 0) return one.name();
  }
  return std::string();
}

}  // namespace plait::inline graph
